import { Readable, Writable } from 'node:stream';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { endpointKey } from '../../../functions/adapters/dynamodb/callback-endpoints.ts';
import { toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { environments } from '../../blueprint/environments.ts';
import { defaultPlan, localPlans, type UsagePlan } from '../../blueprint/usage-plans.ts';
import type { Options, Values } from '../command.ts';
import type { OpsCommand } from '../ops-command.ts';
import { issuePartnerKey, revokePartnerKey } from '../partners/ops-partner-keys.ts';
import { testCallback } from '../callbacks/replay-callbacks.ts';
import { addPartner, removePartner } from '../partners/ops-partner.ts';
import { readPartners } from '../partners/read-partners.ts';
import { changeEndpoint } from '../partners/stored-endpoint.ts';
import { createUsageKeys } from '../partners/usage-keys.ts';
import type { Place } from '../places/place.ts';
import { createTerminal } from '../terminal.ts';

export interface OwnKey {
  readonly partnerId: string;
  readonly credential: string;
  readonly keyId: string;
}

/** The partners that a run adds, by the operator's own commands, and removes again. */
export interface OwnPartners {
  /** In every name that the run makes: `accept-run-mifk3a2b`. */
  readonly run: string;
  /** A key of the partner that sends most requests, with all scopes. */
  main(): Promise<OwnKey>;
  /** The same of a partner that may know nothing of the first one. */
  other(): Promise<OwnKey>;
  /** The same of a partner with the smallest share of the API. */
  small(): Promise<OwnKey & { readonly plan: UsagePlan }>;
  issueKey(options: {
    /** @default the partner that sends most requests */
    readonly partnerId?: string;
    readonly scopes?: string;
    /** Since yesterday. */
    readonly expired?: true;
  }): Promise<OwnKey>;
  revokeKey(keyId: string): Promise<void>;
  /** Posts a test callback to this address, for a partner that does nothing else. @returns how it ended */
  testCallback(url: string): Promise<Readonly<Record<string, unknown>>>;
  /** Removes the partners with their keys. */
  remove(): Promise<void>;
}

const DAY_MS = 86_400_000;
/** No run lasts so long: what an older one left behind was interrupted. */
const LEFT_BEHIND_MS = 3_600_000;
/** No partner's but a run's: what begins so is removed. */
const prefix = 'accept-run-';
const testedSchema = z.record(z.string(), z.unknown());
const issuedSchema = z.object({ credential: z.string(), keyId: z.string() });

/** @param now milliseconds since 1970: names the run */
export function createOwnPartners(place: Place, now: number): OwnPartners {
  const run = `${prefix}${now.toString(36)}`;
  const added = new Map<string, Promise<OwnKey>>();
  /** What the partners' removal leaves: revoked keys, and the versions of secrets. */
  const left: { readonly pk: string }[] = [];

  const issueKey: OwnPartners['issueKey'] = async ({ partnerId, scopes, expired }) => {
    const { partnerId: partner } = partnerId === undefined ? await addOnce(run, defaultPlan) : { partnerId };
    const values = { ...unasked, partner, scopes, 'expires-in-days': expired === true ? '1' : undefined };
    const issued = await runOps(issuePartnerKey, place, values, { now: expired === true ? now - 2 * DAY_MS : now });
    const key = { ...issuedSchema.parse(issued), partnerId: partner };
    left.push({ pk: `key#${key.keyId}` });
    return key;
  };
  const add = async (partner: string, plan: string): Promise<OwnKey> => {
    await runOps(addPartner, place, { ...unasked, partner, projects: undefined, plan });
    return issueKey({ partnerId: partner });
  };
  const addOnce = (partner: string, plan: string): Promise<OwnKey> => {
    const known = added.get(partner) ?? add(partner, plan);
    added.set(partner, known);
    return known;
  };

  return {
    run,
    main: () => addOnce(run, defaultPlan),
    other: () => addOnce(`${run}-other`, defaultPlan),
    async small() {
      const [name, plan] = smallestPlan(place);
      return { ...(await addOnce(`${run}-small`, name)), plan };
    },
    issueKey,
    async revokeKey(keyId) {
      await runOps(revokePartnerKey, place, unasked, { argument: keyId });
    },
    async testCallback(url) {
      const { partnerId: partner } = await addOnce(`${run}-told`, defaultPlan);
      const partnerId = partnerIdSchema.parse(partner);
      await changeEndpoint(place, partnerId, undefined, { set: { url, version: 1 } });
      left.push(endpointKey(partnerId));
      return testedSchema.parse(await runOps(testCallback, place, { ...unasked, partner }));
    },
    async remove() {
      // Where nothing may be changed nothing was added, and nothing is removed.
      if (added.size === 0 && left.length === 0) return;
      await Promise.allSettled(added.values());
      await removeAll(place, run, now);
      const TableName = await place.table('Partners');
      for (const key of left) {
        await place.dynamodb.send(new DeleteItemCommand({ TableName, Key: toItem(key) }));
      }
    },
  };
}

/** The partners of this run, and those of runs that were interrupted. */
async function removeAll(place: Place, run: string, now: number): Promise<void> {
  const shares = await createUsageKeys(place).list();
  const known = [...(await readPartners(place, now)).keys(), ...shares.map(({ partnerId }) => partnerId)];
  for (const partner of new Set(known)) {
    const [, madeAt = ''] = partner.startsWith(prefix) ? (/([0-9a-z]+)/.exec(partner.slice(prefix.length)) ?? []) : [];
    const isOurs = partner === run || partner.startsWith(`${run}-`);
    const isOld = madeAt !== '' && Number.parseInt(madeAt, 36) < now - LEFT_BEHIND_MS;
    if (isOurs || isOld) await runOps(removePartner, place, { ...unasked, partner });
  }
}

function smallestPlan({ environment }: Place): readonly [name: string, plan: UsagePlan] {
  const plans: Readonly<Record<string, UsagePlan>> =
    environment === 'local' ? localPlans : environments[environment].plans;
  const [smallest] = Object.entries(plans).toSorted(([, a], [, b]) => a.burst - b.burst);
  if (smallest === undefined) throw new Error('an environment without plans');
  return smallest;
}

/** The options of every command. */
const unasked = { environment: undefined, region: undefined, json: true, yes: true } as const;

/** Runs an operator's command in this process. @returns what it shows with `--json` */
async function runOps<Given extends Options>(
  command: OpsCommand<Given>,
  place: Place,
  values: Values<Given>,
  { argument = '', now = Date.now() } = {},
): Promise<unknown> {
  let shown = '';
  const output = new Writable({
    write(chunk, _encoding, done) {
      shown += String(chunk);
      done();
    },
  });
  const terminal = createTerminal({ json: true, yes: true, input: Readable.from([]), output, messages: output });
  await command.run({ place, terminal, values, argument, now });
  return JSON.parse(shown);
}
