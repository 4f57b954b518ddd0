import { type JobId, jobIdSchema, projectIdSchema } from '../../core/identifiers.ts';
import type { PlangrepFailure } from '../../core/plangrep.ts';
import type { Clock, Plangrep } from '../../core/ports.ts';
import { DependencyUnavailable } from '../../core/report.ts';
import { type PlangrepAnswer, readCancelAnswer, readJobAnswer, unknown } from './plangrep-answer.ts';
import type { Connections } from './plangrep-connections.ts';
import { type Deadline, exchange, type Sent, startDeadline } from './plangrep-http.ts';
import type { PlangrepKey } from './plangrep-key.ts';
import { createListingReader, MAX_JOBS_READ } from './read-listing.ts';

export interface PlangrepDependencies {
  /** To Plangrep's origin: `/api/open/v1` is added here. */
  readonly connections: Connections;
  readonly key: PlangrepKey;
  readonly clock: Pick<Clock, 'now'>;
}

const CALL_MS = 5_000;
/** A call with less time left would probably end as "unknown": it is better not to start it. */
const MIN_CALL_MS = 100;
const MAX_JOB_BYTES = 256 * 1024;

type Call = Omit<Sent, 'headers'>;

/**
 * Plangrep's jobs API (docs.plangrep.com, API reference, Jobs) over HTTP/1.1. Each call has one total deadline of 5 s,
 * or `untilMs` if sooner, over the key, the connection, the sending, the headers and the whole body. Two failures are
 * repeated within a call, once and at once: a connection that provably never opened, and a 401 or 403 after which Secrets
 * Manager has another key. If Secrets Manager cannot be asked then, a 401, which has no effect, ends as `not_sent`/`no_key`.
 * A 403 may also be an unknown job's, or a terminal one's: it stays `refused`, and its job is read.
 * No answer and no error carries the key, a body, a file name or a `resultUrl`.
 * @throws Error when called with a malformed id
 */
export function createPlangrep({ connections, key, clock }: PlangrepDependencies): Plangrep {
  const listingRoom = { jobs: MAX_JOBS_READ };

  async function perform(call: Call, untilMs: number): Promise<PlangrepAnswer | PlangrepFailure> {
    const ms = Math.min(CALL_MS, untilMs - clock.now());
    if (!(ms >= MIN_CALL_MS)) return notSent('no_time');
    const deadline = startDeadline(ms);
    try {
      return await sendWithKey(call, deadline);
    } finally {
      deadline.clear();
    }
  }

  async function sendWithKey(call: Call, deadline: Deadline): Promise<PlangrepAnswer | PlangrepFailure> {
    const first = await keyWithin(deadline, () => key.get());
    if (first.kind !== 'key') return first;
    const result = await send(call, first.key, deadline);
    if (result.kind !== 'answer') return result;
    const { status } = result;
    if (status !== 401 && status !== 403) return result;

    const newest = await keyWithin(deadline, () => key.renew(first.key, status));
    if (newest.kind !== 'key') return status === 401 ? newest : result;
    return newest.key === first.key ? result : send(call, newest.key, deadline);
  }

  async function send(call: Call, apiKey: string, deadline: Deadline): Promise<PlangrepAnswer | PlangrepFailure> {
    if (deadline.remaining() < MIN_CALL_MS) return notSent('no_time');
    const sent: Sent = { ...call, headers: headersFor(call, apiKey) };
    let result = await exchange(connections, sent, deadline);
    if (result.kind === 'not_connected' && deadline.remaining() >= MIN_CALL_MS)
      result = await exchange(connections, sent, deadline);
    switch (result.kind) {
      case 'not_connected':
        return notSent('no_connection');
      case 'no_answer':
        return unknown(result.why);
      case 'answer':
        return { ...result, key: apiKey, receivedAt: clock.now() };
    }
  }

  return {
    async cancel(jobId, untilMs) {
      const path = `${jobPath(jobId)}/cancel`;
      const result = await perform({ method: 'POST', path, maxBytes: MAX_JOB_BYTES }, untilMs);
      return result.kind === 'answer' ? readCancelAnswer(result, jobId) : result;
    },
    async read(jobId, untilMs) {
      const result = await perform({ method: 'GET', path: jobPath(jobId), maxBytes: MAX_JOB_BYTES }, untilMs);
      return result.kind === 'answer' ? readJobAnswer(result, jobId) : result;
    },
    async list(projectId, untilMs) {
      const path = `/api/open/v1/projects/${projectIdSchema.parse(projectId)}/jobs`;
      const listedAt = clock.now();
      const reader = createListingReader(listingRoom);
      try {
        const result = await perform({ method: 'GET', path, maxBytes: MAX_JOB_BYTES, stream: reader }, untilMs);
        return result.kind === 'answer' ? reader.finish(result, listedAt, untilMs - listedAt >= CALL_MS) : result;
      } finally {
        reader.release();
      }
    },
  };
}

async function keyWithin(
  deadline: Deadline,
  get: () => Promise<string>,
): Promise<{ readonly kind: 'key'; readonly key: string } | PlangrepFailure> {
  try {
    const key = await Promise.race([get(), deadline.expired]);
    return key === undefined ? notSent('no_key') : { kind: 'key', key };
  } catch (error) {
    if (error instanceof DependencyUnavailable) return notSent('no_key');
    throw error;
  }
}

function notSent(why: Extract<PlangrepFailure, { kind: 'not_sent' }>['why']): PlangrepFailure {
  return { kind: 'not_sent', why };
}

/** Checks the pattern again: `encodeURIComponent` would let `..` through. */
function jobPath(jobId: JobId): string {
  return `/api/open/v1/jobs/${jobIdSchema.parse(jobId)}`;
}

function headersFor({ method }: Call, apiKey: string): Record<string, string> {
  return {
    Accept: 'application/json',
    'Accept-Encoding': 'identity',
    Authorization: `Bearer ${apiKey}`,
    'User-Agent': 'plangrep-cancellation/1',
    ...(method === 'POST' ? { 'Content-Length': '0' } : {}),
  };
}
