import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../blueprint/environment-schema.ts';
import { CannotDo } from '../command.ts';
import { explainFailure } from '../places/explain-failure.ts';
import type { Place } from '../places/place.ts';
import type { AskAws } from '../preflight/ask-aws.ts';
import type { Bus } from './bus.ts';
import { type Check, type Fault, fault, type Outcome } from './check.ts';
import type { OwnPartners } from './own-partners.ts';
import { type Answer, createPace, createSender, type Pace } from './send-request.ts';
import type { WebStage } from './stage.ts';

/** What there is to check with. */
export interface Surroundings {
  readonly url: URL;
  /** Undefined: the address is all that is known. */
  readonly operator?: {
    readonly place: Place;
    readonly partners: OwnPartners;
    readonly bus: Bus;
    /** Undefined in the local run. */
    readonly aws?: { readonly environment: Environment; readonly ask: AskAws; readonly firewall: boolean };
  };
  readonly signal: AbortSignal;
}

export interface Verdict {
  readonly id: string;
  readonly shows: string;
  readonly needs: Check['needs'];
  readonly result: 'ok' | 'failed' | 'skipped';
  readonly ms: number;
  /** Why it was skipped. */
  readonly why?: string;
  readonly faults?: readonly Fault[];
  readonly lookAt?: string;
  /** Of the requests that a check sent which failed: for `npm run ops -- find`. */
  readonly requestIds?: readonly string[];
}

/** Called when a check begins and when it has ended. */
export interface Watcher {
  began(check: Check): void;
  ended(verdict: Verdict): void;
}

const TIME_LIMIT_MS = 60_000;
/** Of what a plan or the stage lets through: others use dev too. */
const OWN_SHARE = 0.8;
/** So many of the checks that wait run at the same time: a plan of dev takes few requests a second. */
const BESIDE_AT_ONCE = 10;
const LATEST_IDS = 5;
const stopped = { skipped: 'the run was stopped' };

/**
 * Runs every check to its end, whatever the others find.
 * @returns in the order of the checks
 */
export async function runChecks(
  checks: readonly Check[],
  around: Surroundings,
  watcher: Watcher,
): Promise<readonly Verdict[]> {
  const verdicts = new Map<Check, Verdict>();
  const pace = paceOf(around.operator?.aws?.environment);
  const judge = async (check: Check): Promise<void> => {
    watcher.began(check);
    const verdict = await run(check, around, pace);
    verdicts.set(check, verdict);
    watcher.ended(verdict);
  };
  const oneByOne = async (some: Iterator<Check, unknown>): Promise<void> => {
    for (let next = some.next(); next.done !== true; next = some.next()) await judge(next.value);
  };
  const lane = (wanted: Check['runs']) => checks.filter(({ runs }) => runs === wanted).values();
  const beside = lane('beside');
  const lanes = Array.from({ length: BESIDE_AT_ONCE }, () => oneByOne(beside));
  await Promise.all([oneByOne(lane(undefined)), ...lanes]);
  await oneByOne(lane('alone'));
  return checks.flatMap((check) => verdicts.get(check) ?? []);
}

/** The plans of dev take a few requests a second, and the stage not many more. */
function paceOf(environment: Environment | undefined): Pace {
  if (environment === undefined) return () => Promise.resolve();
  const rates = Object.values(environment.plans).map(({ ratePerSecond }) => ratePerSecond);
  return createPace(Math.min(...rates, environment.throttle.ratePerSecond / 2) * OWN_SHARE);
}

/** Why a check cannot be made here. */
function whyNot({ needs, changes }: Check, { url, operator }: Surroundings): string | undefined {
  const isLocal = url.protocol === 'http:' && operator?.aws === undefined;
  if (needs === 'AWS' && isLocal) return 'only AWS has it';
  if (needs === 'https') return undefined;
  if (operator === undefined) return isLocal ? 'needs the credentials of the local run' : 'needs --environment';
  const environment = operator.aws?.environment;
  if (changes !== true || environment === undefined || environment.sandbox === true) return undefined;
  return `only in a sandbox, which ${environment.name} is not`;
}

async function run(check: Check, around: Surroundings, pace: Pace): Promise<Verdict> {
  const { id, shows, needs, lookAt, limitMs = TIME_LIMIT_MS } = check;
  const common = { id, shows, needs };
  const reason = around.signal.aborted ? stopped.skipped : whyNot(check, around);
  if (reason !== undefined) return { ...common, result: 'skipped', ms: 0, why: reason };
  const began = performance.now();
  const answers: Answer[] = [];
  const ended = new AbortController();
  const signal = AbortSignal.any([around.signal, ended.signal]);
  const outcome = await Promise.race([
    act(check, around, { pace, onAnswer: (answer) => answers.push(answer), signal }),
    sleep(limitMs, fault('no result', `one within ${limitMs / 1000} s`), { ref: false, signal: ended.signal }),
  ])
    .catch((error: unknown): Outcome => (around.signal.aborted ? stopped : explain(error, around)))
    .finally(() => ended.abort());
  const ms = Math.round(performance.now() - began);
  if ('skipped' in outcome) return { ...common, result: 'skipped', ms, why: outcome.skipped };
  if (outcome.length === 0) return { ...common, result: 'ok', ms };
  const requestIds = answers.map(({ requestId }) => requestId).filter((requestId) => requestId !== '');
  return { ...common, result: 'failed', ms, faults: outcome, lookAt, requestIds: requestIds.slice(-LATEST_IDS) };
}

function act(check: Check, { url, operator }: Surroundings, how: Parameters<typeof createSender>[1]): Promise<Outcome> {
  const { signal } = how;
  const send = createSender(url, how);
  const web: WebStage = {
    url,
    send,
    signal,
    documentation: operator?.aws?.environment.documentation,
  };
  if (check.needs === 'https') return check.run(web);
  if (operator === undefined) throw new Error(`${check.id} has no operator`);
  if (check.needs === 'operator credentials') return check.run({ ...web, ...operator });
  if (operator.aws === undefined) throw new Error(`${check.id} has no environment`);
  return check.run({ ...web, ...operator, ...operator.aws });
}

/** A check that cannot be made to its end has failed, in one line. */
function explain(error: unknown, { url, operator }: Surroundings): readonly Fault[] {
  if (error instanceof CannotDo) return fault(error.message, 'a result');
  const known = explainFailure(error, operator?.place.where ?? url.host)?.message;
  if (known !== undefined) return fault(known, 'a result');
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return fault(`${name}: ${message}`, 'a result');
}
