import { createHash, timingSafeEqual } from 'node:crypto';
import type { APIGatewayProxyStructuredResultV2, LambdaFunctionURLEvent } from 'aws-lambda';
import type { Clock } from '../core/ports.ts';
import { type JobRecords, perform, recognizeCall, unauthorized } from './plangrep-calls.ts';

export interface SimulatedCallPorts {
  readonly records: JobRecords;
  readonly isAuthorized: (authorization: string | undefined) => Promise<boolean>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
}

/**
 * Plangrep's jobs API behind a function URL, for a sandbox: the jobs of `sandbox-jobs.ts`. Only a job's id makes it
 * misbehave, so that no partner's trial disturbs another partner.
 */
export function handleSimulatedCall({ records, isAuthorized, clock }: SimulatedCallPorts) {
  return async (event: LambdaFunctionURLEvent): Promise<APIGatewayProxyStructuredResultV2> => {
    const call = recognizeCall(event.requestContext.http.method, event.rawPath);
    const answer = (await isAuthorized(event.headers['authorization']))
      ? await perform(call, records, clock.now())
      : unauthorized;
    if (answer.delayMs !== undefined) await clock.sleep(answer.delayMs);
    return {
      statusCode: answer.status,
      headers: { 'Content-Type': 'application/json', ...answer.headers },
      body: JSON.stringify(answer.body),
    };
  };
}

/** Where the key comes from that a caller has to send. */
export interface ApiKeySource {
  get(): Promise<string>;
  /** The key as it is stored now: a caller may already have a newer one than {@link get} returns. */
  refetch(): Promise<string>;
}

/** A wrong key makes the simulator look for a newer one at most this often, however many wrong keys arrive. */
const REFETCH_EVERY_MS = 5_000;

/**
 * Checks whether an `Authorization` header carries the key that the service sends: the one in the service's own secret.
 * A new key counts as soon as it is stored, so that the service and the simulator may learn it at different times.
 */
export function createApiKeyCheck(
  key: ApiKeySource,
  clock: Pick<Clock, 'now'>,
): (authorization: string | undefined) => Promise<boolean> {
  let refetchedAt = -Infinity;
  return async (authorization) => {
    if (authorization === undefined) return false;
    if (isBearerOf(await key.get(), authorization)) return true;
    const now = clock.now();
    if (now - refetchedAt < REFETCH_EVERY_MS) return false;
    refetchedAt = now;
    return isBearerOf(await key.refetch(), authorization);
  };
}

/** Compares in constant time. */
function isBearerOf(key: string, authorization: string): boolean {
  return timingSafeEqual(digest(`Bearer ${key}`), digest(authorization));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
