import type { Context } from 'aws-lambda';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { handleRequestCancellation } from '../../functions/doors/http/handle-request-cancellation.ts';
import { serviceFunctions } from '../../infra/blueprint/functions.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import { proxyEvent } from '../proof/crash/invocations.ts';
import { createMemoryPorts } from '../support/memory-ports.ts';
import { acme, documentedJob, documentedProject, order7890 } from '../support/names.ts';

const timeoutMs = serviceFunctions['request-cancellation'].timeoutSeconds * 1000;
const CALL_MS = 5_000;

/** One call to Plangrep: how long it takes, and what comes of it. */
const call = fc.record({
  ms: fc.integer({ min: 0, max: CALL_MS }),
  end: fc.constantFrom('unknown', 'rate_limited', 'processing', 'cancelled'),
});
type Call = typeof call extends fc.Arbitrary<infer One> ? One : never;

/** The whole request in simulated time. @returns milliseconds until the answer, and its status */
async function timeRequest(waitSeconds: number, calls: readonly Call[]) {
  const ports = createMemoryPorts();
  const { clock, directory, plangrep } = ports;
  const registered = { registeredAt: toTimestamp(0), verifiedAt: toTimestamp(0) };
  await directory.claim(acme, order7890, { jobId: documentedJob, projectId: documentedProject, ...registered });
  ports.access.set(acme, { kind: 'any' });
  const script = [...calls];
  const play = async (untilMs: number) => {
    const { ms, end } = script.shift() ?? { ms: CALL_MS, end: 'unknown' };
    const leftMs = Math.max(0, untilMs - clock.now());
    await clock.sleep(Math.min(ms, leftMs));
    if (ms > leftMs || end === 'unknown') return { kind: 'unknown', why: 'timeout' } as const;
    if (end === 'rate_limited') return { kind: 'rate_limited', retryAfterMs: 1_000 } as const;
    return { kind: 'job', job: { id: documentedJob, status: end, projectId: documentedProject } } as const;
  };
  plangrep.onCancel = (_jobId, untilMs) => play(untilMs);
  plangrep.onRead = (_jobId, untilMs) => play(untilMs);
  const began = clock.now();
  const context = { getRemainingTimeInMillis: () => timeoutMs - (clock.now() - began) } as Context;
  const path = '/v1/cancellations';
  const body = JSON.stringify({ externalId: order7890 });
  const headers = { Prefer: [`wait=${waitSeconds}`] };
  const event = proxyEvent('acme', 'request-1', { method: 'POST', resource: path, path, headers, body });
  const { statusCode } = await handleRequestCancellation(ports)(event, context);
  return { ms: clock.now() - began, statusCode };
}

test('whatever Plangrep does, a waiting request is answered with 5 s of the function’s time left for slow tables', async () => {
  let longest = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 12 }), fc.array(call, { maxLength: 8 }), async (seconds, calls) => {
      const { ms, statusCode } = await timeRequest(seconds, calls);
      longest = Math.max(longest, ms);
      expect(ms).toBeLessThanOrEqual(timeoutMs - 5_000);
      expect([200, 202]).toContain(statusCode);
    }),
    { numRuns: 500 },
  );
  expect(longest).toBeGreaterThan(8_000);
});

test('a request that does not wait is answered after its first call', async () => {
  expect(await timeRequest(0, [{ ms: 100, end: 'processing' }])).toEqual({ ms: 100, statusCode: 202 });
  expect(await timeRequest(3, [{ ms: 100, end: 'processing' }])).toEqual({ ms: 3_000, statusCode: 202 });
});
