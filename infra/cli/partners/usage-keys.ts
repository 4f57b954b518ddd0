import * as z from 'zod/mini';
import type { PartnerId } from '../../../functions/core/identifiers.ts';
import { usageKeyOf } from '../../../functions/doors/http/usage-key.ts';
import { type UsagePlan, usageKeyName, usagePlanName } from '../../blueprint/usage-plans.ts';
import { CannotDo } from '../command.ts';
import type { Place } from '../places/place.ts';
import { count } from '../terminal.ts';
import { ApiGatewayError, createApiGateway } from './api-gateway.ts';

/** A partner's key in API Gateway, and the plan that it is in. */
export interface UsageKey {
  readonly partnerId: string;
  /** Of the key in API Gateway; the authorizer names its value. */
  readonly id: string;
  /** Undefined: the partner's requests are refused (403). */
  readonly plan: NamedPlan | undefined;
}

export interface NamedPlan extends UsagePlan {
  readonly id: string;
  /** As `--plan` takes it. */
  readonly name: string;
}

export const planOption = {
  hint: 'PLAN',
  what: 'what it may send: a plan of infra/blueprint/environments.ts',
} as const;

export const noPlan = 'none: its requests are refused (403)';

export function describePlan({ name, ratePerSecond, burst, requestsPerDay }: NamedPlan): string {
  return `${name} (${count(ratePerSecond)}/s, burst ${count(burst)}, ${count(requestsPerDay)} a day)`;
}

/** The usage keys of an environment's partners, and its plans, in API Gateway. */
export interface UsageKeys {
  list(): Promise<readonly UsageKey[]>;
  find(partnerId: PartnerId): Promise<UsageKey | undefined>;
  /** @throws CannotDo (2) when the environment has no such plan */
  planNamed(name: string): Promise<NamedPlan>;
  /**
   * Puts a partner into a plan, with a new key or the one it has. A change takes the key out of the old plan first, since
   * API Gateway allows a key one plan for a stage: for a moment the partner's requests are refused.
   */
  put(partnerId: PartnerId, plan: NamedPlan): Promise<void>;
  /** @returns whether the partner had a key */
  remove(partnerId: PartnerId): Promise<boolean>;
  /** How many requests API Gateway has counted today, in UTC. */
  usedToday(key: UsageKey, now: number): Promise<number>;
}

const keySchema = z.object({ id: z.string(), name: z.optional(z.string()) });
const planSchema = z.object({
  id: z.string(),
  name: z.string(),
  throttle: z.object({ rateLimit: z.number(), burstLimit: z.number() }),
  quota: z.object({ limit: z.number() }),
});
const usageSchema = z.object({ values: z.optional(z.record(z.string(), z.array(z.array(z.number())))) });

/** @see https://docs.aws.amazon.com/apigateway/latest/api/API_CreateUsagePlanKey.html */
export function createUsageKeys({ environment, apiGateway }: Pick<Place, 'environment' | 'apiGateway'>): UsageKeys {
  const call = createApiGateway(apiGateway);
  const keyPrefix = usageKeyName(environment, '');
  const planPrefix = usagePlanName(environment, '');

  /** Every page of a list, checked where its name is one of ours: other APIs of the account have lists of other forms. */
  async function listAll<Item>(path: string, item: z.ZodMiniType<Item>, prefix: string): Promise<Item[]> {
    const named = z.looseObject({ name: z.optional(z.string()) });
    const page = z.object({ item: z.optional(z.array(named)), position: z.optional(z.string()) });
    const all: Item[] = [];
    let position: string | undefined = '';
    while (position !== undefined) {
      const query: Record<string, string> = { limit: '500', ...(position !== '' && { position }) };
      const answer: z.infer<typeof page> = page.parse(await call('GET', path, { query }));
      const ours = (answer.item ?? []).filter(({ name }) => name?.startsWith(prefix));
      all.push(...ours.map((one) => item.parse(one)));
      position = answer.position;
    }
    return all;
  }

  async function plans(): Promise<readonly NamedPlan[]> {
    const all = await listAll('/usageplans', planSchema, planPrefix);
    return all.map(({ id, name, throttle, quota }) => ({
      id,
      name: name.slice(planPrefix.length),
      ratePerSecond: throttle.rateLimit,
      burst: throttle.burstLimit,
      requestsPerDay: quota.limit,
    }));
  }

  async function list(): Promise<readonly UsageKey[]> {
    const planOf = new Map<string, NamedPlan>();
    for (const plan of await plans()) {
      const keys = await listAll(`/usageplans/${plan.id}/keys`, keySchema, keyPrefix);
      for (const { id } of keys) planOf.set(id, plan);
    }
    const keys = await listAll('/apikeys', keySchema, keyPrefix);
    return keys.map(({ id, name = '' }) => ({ id, partnerId: name.slice(keyPrefix.length), plan: planOf.get(id) }));
  }

  const find = async (partnerId: PartnerId): Promise<UsageKey | undefined> =>
    (await list()).find((key) => key.partnerId === partnerId);

  async function add(partnerId: PartnerId): Promise<UsageKey> {
    const key = { name: usageKeyName(environment, partnerId), value: usageKeyOf(environment, partnerId) };
    const { id } = keySchema.parse(await call('POST', '/apikeys', { body: { ...key, enabled: true } }));
    return { id, partnerId, plan: undefined };
  }

  return {
    list,
    find,
    async planNamed(name) {
      const known = await plans();
      const plan = known.find((one) => one.name === name);
      if (plan !== undefined) return plan;
      const names = known.map((one) => one.name).join(', ') || 'none: deploy the service stack first';
      throw new CannotDo(
        2,
        `--plan must be one of the plans of ${environment} (${names}), not ${JSON.stringify(name)}.`,
      );
    },
    async put(partnerId, plan) {
      const key = (await find(partnerId)) ?? (await add(partnerId));
      if (key.plan?.id === plan.id) return;
      if (key.plan !== undefined) await call('DELETE', `/usageplans/${key.plan.id}/keys/${key.id}`);
      await call('POST', `/usageplans/${plan.id}/keys`, { body: { keyId: key.id, keyType: 'API_KEY' } });
    },
    async remove(partnerId) {
      const key = await find(partnerId);
      if (key === undefined) return false;
      await call('DELETE', `/apikeys/${key.id}`).catch((error: unknown) => {
        if (!(error instanceof ApiGatewayError) || error.name !== 'NotFoundException') throw error;
      });
      return true;
    },
    async usedToday({ id, plan }, now) {
      if (plan === undefined) return 0;
      const day = new Date(now).toISOString().slice(0, 10);
      const query = { keyId: id, startDate: day, endDate: day };
      const { values = {} } = usageSchema.parse(await call('GET', `/usageplans/${plan.id}/usage`, { query }));
      return values[id]?.[0]?.[0] ?? 0;
    },
  };
}
