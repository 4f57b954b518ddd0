import { existsSync } from 'node:fs';
import { environments } from '../blueprint/environments.ts';
import { openDeployedBus, openLocalBus } from './accept/bus.ts';
import { allChecks } from './accept/checks/all-checks.ts';
import { createOwnPartners } from './accept/own-partners.ts';
import { takeRole } from './accept/take-role.ts';
import { runChecks, type Surroundings } from './accept/run-checks.ts';
import { showVerdicts, summarize } from './accept/show-verdicts.ts';
import { CannotDo, type ExitCode, readApiUrl, readList, runScript } from './command.ts';
import { openDeployedPlace, readEnvironmentName } from './places/deployed-place.ts';
import { explainFailure } from './places/explain-failure.ts';
import { refuseAnotherApi } from './places/refuse-another-api.ts';
import { credentialsPath, openLocalPlace } from './places/local-place.ts';
import { createAskAws } from './preflight/ask-aws.ts';
import { createProgress, paint, table } from './terminal.ts';

/** `npm run accept`: what only a deployment can show, in the sandbox of dev, and as far as it goes on the local run. */
const command = {
  name: 'accept',
  call: 'npm run accept --',
  summary: `Checks a deployment's behaviour in its sandbox: routes, credentials, bodies, cancels, events, limits, and in AWS roles, alarms
and logs. It can be run again and again. Outside a sandbox it makes only the checks that change nothing.`,
  notes: 'It adds partners and removes them at its end. See docs/acceptance.md.',
  options: {
    url: {
      hint: 'URL',
      what: "the API: the service stack's output ApiUrl (https, or http on this machine). Without it CANCELLATION_URL counts",
    },
    environment: {
      hint: 'NAME',
      what: 'dev, staging or prod, with its operator’s AWS credentials. Without it the checks that need them are skipped',
    },
    only: { hint: 'a,b', what: 'only the checks whose ids begin so: routes, cancels.once' },
    firewall: {
      what: 'also send what the firewall refuses: thousands of requests, during which dev answers others 429 too',
    },
    list: { what: 'show the checks, and run none' },
    json: { what: 'one line of JSON for each check, then one with the summary' },
  },
  exitCodes: { 0: 'no check failed; skipped ones are counted', 1: 'one failed', 2: 'wrong usage, or no connection' },
  wrongUsage: 2,
} as const;

/** All that a run may take. */
const TIME_LIMIT_MS = 6 * 60_000;

await runScript(command, async ({ url, environment, only, list, json, firewall }) => {
  const checks = chosen(only);
  if (list) {
    process.stdout.write(`${showList(checks, json).join('\n')}\n`);
    return 0;
  }
  return accept(checks, readApiUrl(url, command), { environment, firewall, json });
});

function chosen(only: string | undefined) {
  if (only === undefined) return allChecks;
  const wanted = readList(only);
  const unknown = wanted.find((start) => !allChecks.some(({ id }) => id.startsWith(start)));
  if (unknown !== undefined) throw new CannotDo(2, `--only ${JSON.stringify(unknown)} begins no check: see --list.`);
  return allChecks.filter(({ id }) => wanted.some((start) => id.startsWith(start)));
}

function showList(checks: typeof allChecks, json: boolean): readonly string[] {
  if (json) return checks.map(({ id, shows, needs, changes = false }) => JSON.stringify({ id, shows, needs, changes }));
  const rows = checks.map(({ id, shows, needs, changes }) => [id, needs, changes === true ? 'sandbox' : '', shows]);
  return table(['CHECK', 'NEEDS', 'ONLY IN A', 'WHAT IT SHOWS'], rows);
}

async function accept(
  checks: typeof allChecks,
  url: URL,
  { environment, firewall, json }: Readonly<Record<'firewall' | 'json', boolean>> & { environment: string | undefined },
): Promise<ExitCode> {
  const began = performance.now();
  const operator = await openOperator(url, environment, { firewall, now: Date.now() });
  const stopped = new AbortController();
  process.once('SIGINT', () => stopped.abort());
  const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(TIME_LIMIT_MS)]);
  const progress = createProgress(process.stderr);
  const running = new Set<string>();
  let done = 0;
  const showProgress = (): void => {
    progress.show(`${done} of ${checks.length} done; running ${[...running].join(', ')}`);
  };
  try {
    const verdicts = await runChecks(
      checks,
      { url, signal, ...(operator !== undefined && { operator }) },
      {
        began({ id }) {
          running.add(id);
          showProgress();
        },
        ended(verdict) {
          running.delete(verdict.id);
          done += 1;
          if (json) console.log(JSON.stringify(verdict));
          showProgress();
        },
      },
    );
    progress.clear();
    const summary = summarize(verdicts);
    const ms = Math.round(performance.now() - began);
    if (json) console.log(JSON.stringify({ ...summary, ms, url: url.href }));
    else process.stdout.write(`${showVerdicts(verdicts, url, ms).join('\n')}\n`);
    if (!signal.aborted) return summary.failed === 0 ? 0 : 1;
    const why = stopped.signal.aborted ? 'stopped' : `not over after ${TIME_LIMIT_MS / 60_000} min`;
    process.stderr.write(`${paint('yellow', `The run was ${why}: not every check was made.`)}\n`);
    return 1;
  } finally {
    progress.clear();
    await cleanUp(operator);
  }
}

/** @throws CannotDo (1) when something was left behind */
async function cleanUp(operator: Surroundings['operator']): Promise<void> {
  if (operator === undefined) return;
  const { place, partners } = operator;
  try {
    await partners.remove();
  } catch (error) {
    const why = explainFailure(error, place.where)?.message ?? String(error);
    const left = `The partners ${partners.run}… may be left: a run in an hour removes them, or "npm run ops -- partner remove".`;
    throw new CannotDo(1, `${why} ${left}`, { cause: error });
  } finally {
    place.close();
  }
}

/** @returns undefined where the address is all that is known */
async function openOperator(
  url: URL,
  named: string | undefined,
  { firewall, now }: { readonly firewall: boolean; readonly now: number },
): Promise<Surroundings['operator']> {
  if (url.protocol === 'http:') {
    if (named !== undefined)
      throw new CannotDo(2, '--environment goes with an address in AWS: the local run has none.');
    if (!existsSync(credentialsPath)) return undefined;
    const place = openLocalPlace();
    return { place, partners: createOwnPartners(place, now), bus: openLocalBus(credentialsPath) };
  }
  if (named === undefined) return undefined;
  const name = readEnvironmentName(named);
  const place = openDeployedPlace(name);
  await refuseAnotherApi(place, url);
  const { credentials } = place.dynamodb.config;
  const ask = createAskAws({ region: place.region, credentials: () => credentials(), variables: process.env });
  const environment = environments[name];
  const aws = { environment, ask, firewall };
  const partners = createOwnPartners(takeRole(place, 'manage-partners', ask), now);
  return { place, partners, bus: openDeployedBus(ask, environment), aws };
}
