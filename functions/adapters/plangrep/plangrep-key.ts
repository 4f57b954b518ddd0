import {
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod/mini';
import type { Clock } from '../../core/ports.ts';
import { DependencyUnavailable, type Report } from '../../core/report.ts';
import { awsSettings, withoutIdleSteps } from '../aws-settings.ts';

/**
 * The organization's Plangrep API key. Both throw {@link DependencyUnavailable} (`secret`) when Secrets Manager does not
 * answer or what it holds cannot be a key; neither the message nor the cause ever carries the secret's value.
 */
export interface PlangrepKey {
  /** The key, at most 60 s old. */
  get(): Promise<string>;
  /** The key as Secrets Manager has it now: for a caller whose key Plangrep just refused. */
  refetch(): Promise<string>;
}

export interface CachedPlangrepKey extends PlangrepKey {
  /** Begins to fetch the key and waits for nothing, so that the first {@link get} finds it under way or here. */
  prefetch(): void;
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

/** RFC 9110 field values allow more; a key with a space or a line break in it is a mistake, or an injected header. */
const keySchema = z.string().check(z.regex(/^[\x21-\x7e]+$/));
const jsonSecretSchema = z.object({ apiKey: z.string() });

/**
 * Secrets Manager's client with short timeouts: 1 s to connect, 2 s for an answer, two attempts. Everything else is the
 * SDK's standard configuration (`AWS_REGION`, `AWS_ENDPOINT_URL_SECRETS_MANAGER`, credentials from the environment).
 */
export const createSecretsManagerClient = (overrides: SecretsManagerClientConfig = {}): SecretsManagerClient =>
  withoutIdleSteps(
    new SecretsManagerClient({
      ...awsSettings,
      maxAttempts: 2,
      requestHandler: {
        connectionTimeout: 1_000,
        requestTimeout: 2_000,
        socketTimeout: 2_000,
        throwOnRequestTimeout: true,
      },
      ...overrides,
    }),
  );

/** Keeps the key in memory for at most 60 s; concurrent callers share one call to Secrets Manager. */
export const createPlangrepKey = ({ client, secretId, clock, report }: PlangrepKeyDependencies): CachedPlangrepKey => {
  let cached: { readonly key: string; readonly fetchedAt: number } | undefined;
  let inFlight: Promise<string> | undefined;

  const fetchKey = async (): Promise<string> => {
    const fetchedAt = clock.now();
    const { SecretString, CreatedDate } = await readSecret(client, secretId);
    const key = parseSecret(SecretString);
    const ageDays = CreatedDate === undefined ? undefined : Math.floor((fetchedAt - CreatedDate.getTime()) / DAY_MS);
    report('PLANGREP_KEY_FETCHED', { ageDays });
    cached = { key, fetchedAt };
    return key;
  };
  const refetch = (): Promise<string> => {
    inFlight ??= fetchKey().finally(() => {
      inFlight = undefined;
    });
    return inFlight;
  };

  return {
    async get() {
      const age = cached === undefined ? MAX_AGE_MS : clock.now() - cached.fetchedAt;
      return cached !== undefined && age >= 0 && age < MAX_AGE_MS ? cached.key : refetch();
    },
    refetch,
    prefetch: () => {
      // Whoever needs the key asks again and learns what is wrong.
      refetch().catch(() => undefined);
    },
  };
};

const readSecret = async (client: SecretsManagerClient, secretId: string): Promise<GetSecretValueCommandOutput> => {
  try {
    return await client.send(new GetSecretValueCommand({ SecretId: secretId }));
  } catch (error) {
    // An SDK error may quote the answer it could not read, and so the secret: only its name goes on.
    throw new DependencyUnavailable('secret', new Error(`GetSecretValue failed: ${nameOf(error)}`));
  }
};

const nameOf = (error: unknown): string =>
  error instanceof Error && /^[A-Za-z]{1,64}$/.test(error.name) ? error.name : 'unnamed error';

const parseSecret = (secret: string | undefined): string => {
  const key = keyInSecret(secret ?? '');
  if (key !== undefined) return key;
  throw new DependencyUnavailable('secret', new Error('the secret holds neither a plain API key nor {"apiKey": "…"}'));
};

/** The key that a secret's value holds, as plain text or `{"apiKey": "…"}`; nothing when it holds none. */
export const keyInSecret = (value: string): string | undefined => {
  const text = value.trim();
  return keySchema.safeParse(text.startsWith('{') ? apiKeyIn(text) : text).data;
};

const apiKeyIn = (text: string): string | undefined => {
  try {
    return jsonSecretSchema.safeParse(JSON.parse(text)).data?.apiKey.trim();
  } catch {
    return undefined;
  }
};
