import {
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod/mini';
import type { Clock } from '../../core/ports.ts';
import { DependencyUnavailable, type Report } from '../../core/report.ts';

/**
 * The organization's Plangrep API key. The methods throw {@link DependencyUnavailable} (`secret`) when Secrets Manager
 * does not answer or its secret cannot be a key; neither the message nor the cause ever carries the secret's value.
 */
export interface PlangrepKey {
  /** The key, at most 60 s old. */
  get(): Promise<string>;
  /**
   * The newest key, for a caller whose key Plangrep just rejected. A 401 is always about the key. A 403 may be about the
   * job, and there may be many of them: for those, Secrets Manager is asked at most every 3 s while it has that very key.
   */
  renew(rejected: string, status: 401 | 403): Promise<string>;
}

export interface CachedPlangrepKey extends PlangrepKey {
  /** Starts to fetch the key without waiting, so that the first {@link get} finds it under way or already there. */
  prefetch(): void;
  /** The key as Secrets Manager has it now. */
  refetch(): Promise<string>;
}

export interface PlangrepKeyDependencies {
  readonly client: SecretsManagerClient;
  /** The secret's name or ARN. Its value is the key as plain text or `{"apiKey": "…"}`. */
  readonly secretId: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly report: Report;
}

const DAY_MS = 86_400_000;
const MAX_AGE_MS = 60_000;
const RENEW_EVERY_MS = 3_000;

/** Keeps the key in memory for at most 60 s; concurrent callers share one call to Secrets Manager. */
export function createPlangrepKey({ client, secretId, clock, report }: PlangrepKeyDependencies): CachedPlangrepKey {
  let cached: { readonly key: string; readonly fetchedAt: number } | undefined;
  let inFlight: Promise<string> | undefined;
  /** When Secrets Manager last had the very key that Plangrep had just rejected. */
  let unchangedAt = -Infinity;

  async function fetchKey(): Promise<string> {
    const fetchedAt = clock.now();
    const { SecretString = '', CreatedDate } = await readSecret(client, secretId);
    const found = keyInSecret(SecretString);
    if (found.kind === 'no_key') {
      throw new DependencyUnavailable('secret', new Error(`the secret must be ${keyRule}`));
    }
    const ageDays = CreatedDate && Math.floor((fetchedAt - CreatedDate.getTime()) / DAY_MS);
    report('PLANGREP_KEY_FETCHED', { ageDays });
    cached = { key: found.key, fetchedAt };
    return found.key;
  }

  function refetch(): Promise<string> {
    inFlight ??= fetchKey().finally(() => {
      inFlight = undefined;
    });
    return inFlight;
  }

  async function renew(rejected: string, status: 401 | 403): Promise<string> {
    // Another caller renewed it meanwhile.
    if (cached !== undefined && cached.key !== rejected) return cached.key;
    if (status === 403 && isWithin(RENEW_EVERY_MS, unchangedAt)) return rejected;
    const newest = await refetch();
    unchangedAt = newest === rejected ? clock.now() : -Infinity;
    return newest;
  }

  /** A clock that was set back says nothing about ages. */
  function isWithin(ms: number, since: number): boolean {
    const age = clock.now() - since;
    return age >= 0 && age < ms;
  }

  return {
    async get() {
      return cached !== undefined && isWithin(MAX_AGE_MS, cached.fetchedAt) ? cached.key : refetch();
    },
    renew,
    refetch,
    prefetch() {
      // The caller that needs the key asks again, and gets the error.
      refetch().catch(() => undefined);
    },
  };
}

async function readSecret(client: SecretsManagerClient, secretId: string): Promise<GetSecretValueCommandOutput> {
  try {
    return await client.send(new GetSecretValueCommand({ SecretId: secretId }));
  } catch (error) {
    // An SDK error may quote the answer that it could not read, and so the secret: only the error's name is passed on.
    const isNamed = error instanceof Error && /^[A-Za-z]{1,64}$/.test(error.name);
    throw new DependencyUnavailable(
      'secret',
      new Error(`GetSecretValue failed: ${isNamed ? error.name : 'unnamed error'}`),
    );
  }
}

/**
 * RFC 9110 field values allow more; a key with a space or a line break in it is a mistake, or an injected header. Answers
 * are searched for the key: a shorter one could appear in them by chance, and make good answers unreadable.
 */
const keySchema = z.string().check(z.regex(/^[\x21-\x7e]{16,}$/));
const jsonSecretSchema = z.object({ apiKey: z.string() });

/** What {@link keyInSecret} accepts, for messages: "must be …". */
export const keyRule = 'an API key of at least 16 printable ASCII characters, plain or as {"apiKey": "…"}';

/** The key in a secret's value: as plain text, or in `{"apiKey": "…"}`. */
export function keyInSecret(
  value: string,
): { readonly kind: 'key'; readonly key: string } | { readonly kind: 'no_key' } {
  const text = value.trim();
  try {
    const candidate = text.startsWith('{') ? jsonSecretSchema.parse(JSON.parse(text)).apiKey.trim() : text;
    return { kind: 'key', key: keySchema.parse(candidate) };
  } catch {
    return { kind: 'no_key' };
  }
}
