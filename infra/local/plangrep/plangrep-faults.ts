import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import * as z from 'zod/mini';
import { createTokenBucket, type TokenBucket } from '../aws/gateway/token-bucket.ts';
import type { CallKind, SimulatedAnswer } from '../../../functions/simulator/plangrep-calls.ts';

const effectSchema = z.enum(['none', 'applied']);
const common = {
  on: z.enum(['cancel', 'read', 'list', 'create', 'any']),
  /** Only for calls about this job. @default all */
  jobId: z.optional(z.string()),
  /** For how many calls. @default all, until the faults are cleared */
  times: z.optional(z.int().check(z.positive())),
  /** `applied`: the call still does what it asks for, for example "cancelled, but the answer was lost". */
  effect: z.prefault(effectSchema, 'none'),
  /** How long the answer waits, in milliseconds. The effect does not wait. */
  delayMs: z.prefault(z.int().check(z.nonnegative()), 0),
};
const MiB = 1024 * 1024;

export const faultSchema = z.discriminatedUnion('kind', [
  /** The ordinary answer, after `delayMs`. */
  z.strictObject({ ...common, kind: z.literal('late'), effect: z.prefault(effectSchema, 'applied') }),
  /** Any answer at all. */
  z.strictObject({
    ...common,
    kind: z.literal('status'),
    status: z.int().check(z.minimum(200), z.maximum(599)),
    headers: z.prefault(z.record(z.string(), z.string()), {}),
    body: z.prefault(z.string(), ''),
  }),
  /** Of all calls that fit together only so many a second; what is over that gets 429 with `Retry-After`. */
  z.strictObject({
    ...common,
    kind: z.literal('rate_limit'),
    ratePerSecond: z.number().check(z.positive()),
    burst: z.prefault(z.int().check(z.positive()), 1),
  }),
  /** The ordinary answer with fields of its job, or of every listed one, replaced: another id, an unknown status. */
  z.strictObject({ ...common, kind: z.literal('job'), fields: z.record(z.string(), z.unknown()) }),
  /** Headers at once, then a byte each interval. */
  z.strictObject({ ...common, kind: z.literal('drip'), intervalMs: z.prefault(z.int().check(z.positive()), 50) }),
  /** Never an answer. */
  z.strictObject({ ...common, kind: z.literal('hang') }),
  /** The ordinary answer, followed by this many spaces: valid JSON, but too large. */
  z.strictObject({ ...common, kind: z.literal('oversized'), bytes: z.prefault(z.int().check(z.positive()), 9 * MiB) }),
  /** The same, compressed: few bytes are sent. */
  z.strictObject({ ...common, kind: z.literal('gzip_bomb'), bytes: z.prefault(z.int().check(z.positive()), 16 * MiB) }),
  /** The connection is reset before the answer, or in the middle of it. */
  z.strictObject({
    ...common,
    kind: z.literal('reset'),
    when: z.prefault(z.enum(['before_answer', 'mid_answer']), 'before_answer'),
  }),
]);
export type Fault = z.infer<typeof faultSchema>;
export type FaultInput = z.input<typeof faultSchema>;

export interface Faults {
  /** Plays the fault from now on. @throws when it is malformed */
  add(fault: FaultInput): void;
  clear(): void;
  /** The faults that still wait for a call. */
  waiting(): readonly Fault[];
}

/** The faults that wait. `take` hands out the first one that fits a call. */
export function createFaults(): Faults & { take(kind: CallKind, jobId?: string): Fault | undefined } {
  let faults: { readonly fault: Fault; readonly bucket: TokenBucket; left: number }[] = [];
  return {
    add(input) {
      const fault = faultSchema.parse(input);
      faults.push({ fault, bucket: createTokenBucket(Date.now), left: fault.times ?? Infinity });
    },
    clear() {
      faults = [];
    },
    waiting: () => faults.map(({ fault }) => fault),
    take(kind, jobId) {
      const entry = faults.find(
        ({ fault }) => (fault.on === kind || fault.on === 'any') && (fault.jobId ?? jobId) === jobId,
      );
      if (entry === undefined) return undefined;
      if (entry.fault.kind === 'rate_limit' && entry.bucket.take(entry.fault) === 0) return undefined;
      entry.left -= 1;
      if (entry.left <= 0) faults = faults.filter((other) => other !== entry);
      return entry.fault;
    },
  };
}

/** Sends at once: the caller has already waited for the answer's delay. */
export function sendJson(response: ServerResponse, { status, headers, body }: SimulatedAnswer): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Answers as the fault says. @param ordinary the answer without the fault */
export function play(fault: Fault, response: ServerResponse, ordinary: SimulatedAnswer): void {
  const bytes = Buffer.from(JSON.stringify(ordinary.body));
  const json = { 'Content-Type': 'application/json' };
  switch (fault.kind) {
    case 'late':
      return sendJson(response, ordinary);
    case 'rate_limit':
      response.writeHead(429, { ...json, 'Retry-After': String(Math.ceil(1 / fault.ratePerSecond)) }).end('{}');
      return;
    case 'status':
      response.writeHead(fault.status, { ...json, ...fault.headers }).end(fault.body);
      return;
    case 'job':
      return sendJson(response, { ...ordinary, body: withJobFields(ordinary.body, fault.fields) });
    case 'drip':
      response.writeHead(ordinary.status, { ...json, 'Content-Length': bytes.length });
      return drip(response, bytes, fault.intervalMs);
    case 'hang':
      return;
    case 'oversized':
      response.writeHead(ordinary.status, json).end(Buffer.concat([bytes, Buffer.alloc(fault.bytes, ' ')]));
      return;
    case 'gzip_bomb':
      response.writeHead(ordinary.status, { ...json, 'Content-Encoding': 'gzip' });
      response.end(gzipSync(Buffer.concat([bytes, Buffer.alloc(fault.bytes, ' ')])));
      return;
    case 'reset':
      if (fault.when === 'before_answer') {
        response.socket?.resetAndDestroy();
        return;
      }
      response.writeHead(ordinary.status, { ...json, 'Content-Length': bytes.length });
      response.write(bytes.subarray(0, bytes.length / 2), () => response.socket?.resetAndDestroy());
  }
}

function drip(response: ServerResponse, bytes: Buffer, intervalMs: number): void {
  response.flushHeaders();
  let sent = 0;
  const timer = setInterval(() => {
    response.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent === bytes.length) response.end();
  }, intervalMs);
  response.on('close', () => clearInterval(timer));
}

function withJobFields(
  body: SimulatedAnswer['body'],
  fields: Readonly<Record<string, unknown>>,
): SimulatedAnswer['body'] {
  const replace = (job: unknown): unknown => (typeof job === 'object' ? { ...job, ...fields } : job);
  return Array.isArray(body['jobs'])
    ? { ...body, jobs: body['jobs'].map(replace) }
    : { ...body, job: replace(body['job']) };
}
