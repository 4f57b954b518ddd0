import type { SimulatedJobFields } from '../../../functions/simulator/plangrep-jobs.ts';
import type { FaultInput } from '../../../infra/local/plangrep/plangrep-faults.ts';
import type { Stage } from './stage.ts';

/** What a cancel meets before one takes effect. */
export interface Fault {
  readonly what: string;
  /** Milliseconds for which Plangrep asks to wait. @default it asks for nothing */
  readonly askedMs?: number;
  /** Faults with one name share a local run. */
  readonly stage: string;
  /** Cancels that are sent at once. @default 1 */
  readonly atOnce?: number;
  /** Fields of the job. */
  readonly job?: SimulatedJobFields;
  /** Before the cancel of this job is sent. */
  readonly arm?: (stage: Stage, jobId: string) => unknown;
  /** When the cancels that were sent at once are answered. */
  readonly disarm?: (stage: Stage) => unknown;
}

type CallFault = FaultInput extends infer Input ? (Input extends unknown ? Omit<Input, 'on' | 'jobId'> : never) : never;

/** Of one job alone, in this order. */
const meets =
  (...faults: readonly CallFault[]): Fault['arm'] =>
  ({ simulator }, jobId) => {
    for (const fault of faults) simulator.faults.add({ ...fault, on: 'cancel', jobId });
  };
const status = (code: number, retryAfter?: number, times = 1): CallFault => ({
  kind: 'status',
  status: code,
  times,
  headers: retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) },
});
const reset: CallFault = { kind: 'reset', times: 1 };

export const faults: readonly Fault[] = [
  { what: 'one 500', stage: 'answers', arm: meets(status(500)) },
  { what: 'one 429, Retry-After 2 s', askedMs: 2_000, stage: 'answers', arm: meets(status(429, 2)) },
  { what: 'one 503, Retry-After 3 s', askedMs: 3_000, stage: 'answers', arm: meets(status(503, 3)) },
  { what: 'reset before the effect', stage: 'answers', arm: meets(reset) },
  {
    what: 'refused connection',
    stage: 'connections',
    atOnce: 10,
    arm: (at) => at.refuseConnections(),
    disarm: (at) => at.acceptConnections(),
  },
  { what: 'rotated key', stage: 'keys', arm: (at) => at.rotateKey() },
];

const stage = 'moods';
/** More of what Plangrep can do, for callers that follow `Retry-After` to the end. */
export const moods: readonly Fault[] = [
  { what: 'a job that takes 3 s to cancel', stage, job: { cancelTakes: 3_000 } },
  { what: 'a job that takes 20 s to cancel', stage, job: { cancelTakes: 20_000 } },
  { what: 'three 500', stage, arm: meets(status(500, undefined, 3)) },
  { what: 'a 429 without Retry-After, then a 503', stage, arm: meets(status(429), status(503)) },
  { what: 'a 429 with Retry-After 7 s', stage, arm: meets(status(429, 7)) },
  { what: 'a 404 to a job that exists', stage, arm: meets(status(404)) },
  { what: 'two resets', stage, arm: meets(reset, reset) },
  { what: 'no answer, once', stage, arm: meets({ kind: 'hang', times: 1 }) },
];
