import { randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import { stateFile } from '../store/state-file.ts';
import { createTokenBucket, type Throttle, type TokenBucket } from './token-bucket.ts';

/** What one API key may send. */
export interface UsagePlan extends Throttle {
  readonly requestsPerDay: number;
}

const keySchema = z.object({
  id: z.string(),
  name: z.string(),
  value: z.string(),
  /** In which plan it is. */
  plan: z.optional(z.string()),
});
export type ApiKey = z.infer<typeof keySchema>;

/** Whether a request may pass. */
export type Admission =
  | { readonly kind: 'admitted' }
  /** The key is unknown, or in no plan. */
  | { readonly kind: 'no_plan' }
  | { readonly kind: 'throttled' | 'quota_exceeded'; readonly retryAfterSeconds: number };

export interface LocalUsagePlans {
  /** By name, which is the plan's id too. */
  readonly plans: Readonly<Record<string, UsagePlan>>;
  /** Takes a request from its key's share. @param value the usage key that the authorizer named */
  admit(value: string | undefined): Admission;
  keys(): readonly ApiKey[];
  /** How many requests of a key were let through today. */
  usedToday(id: string): number;
  /** @returns undefined if a key has this value already: values are unique */
  addKey(key: Pick<ApiKey, 'name' | 'value'>): ApiKey | undefined;
  /** @returns whether there was such a key */
  removeKey(id: string): boolean;
  /** Puts a key into a plan, or (undefined) takes it out of its plan. A key is in one plan at most. */
  assign(id: string, plan: string | undefined): void;
}

/** What a key has taken of its plan. */
interface Share {
  readonly bucket: TokenBucket;
  /** Days since 1970, in UTC. */
  day: number;
  /** Those of the day that were let through. */
  requests: number;
}

const DAY_MS = 86_400_000;

/**
 * The usage plans of one REST API: each key has its bucket and its quota. A request over the rate does not count
 * against the quota. A day ends at midnight UTC.
 * @param now milliseconds since 1970
 * @param statePath a JSON file that keeps the keys over restarts; without it they are in memory
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
 */
export function createUsagePlans(
  plans: Readonly<Record<string, UsagePlan>>,
  now: () => number,
  statePath?: string,
): LocalUsagePlans {
  const file = stateFile(statePath, z.array(keySchema));
  const byValue = new Map((file.read() ?? []).map((key) => [key.value, key]));
  const shares = new Map<string, Share>();
  const keys = (): ApiKey[] => [...byValue.values()];
  const save = (): void => file.write(keys());
  const find = (id: string): ApiKey | undefined => keys().find((key) => key.id === id);
  const shareOf = (id: string): Share => {
    const day = Math.floor(now() / DAY_MS);
    const share = shares.get(id) ?? { bucket: createTokenBucket(now), day, requests: 0 };
    if (share.day !== day) [share.day, share.requests] = [day, 0];
    shares.set(id, share);
    return share;
  };

  return {
    plans,
    admit(value = '') {
      const key = byValue.get(value);
      const plan = key?.plan === undefined ? undefined : plans[key.plan];
      if (key === undefined || plan === undefined) return { kind: 'no_plan' };
      const share = shareOf(key.id);
      if (share.requests >= plan.requestsPerDay) {
        return { kind: 'quota_exceeded', retryAfterSeconds: Math.ceil((DAY_MS - (now() % DAY_MS)) / 1000) };
      }
      const waitMs = share.bucket.take(plan);
      if (waitMs > 0) return { kind: 'throttled', retryAfterSeconds: Math.ceil(waitMs / 1000) };
      share.requests += 1;
      return { kind: 'admitted' };
    },
    keys,
    usedToday: (id) => shareOf(id).requests,
    addKey({ name, value }) {
      if (byValue.has(value)) return undefined;
      const key = { id: randomBytes(5).toString('hex'), name, value };
      byValue.set(value, key);
      save();
      return key;
    },
    removeKey(id) {
      const key = find(id);
      if (key === undefined) return false;
      shares.delete(id);
      byValue.delete(key.value);
      save();
      return true;
    },
    assign(id, plan) {
      const key = find(id);
      if (key === undefined) return;
      if (plan === undefined) delete key.plan;
      else key.plan = plan;
      save();
    },
  };
}
