import { type JobId, jobIdSchema, projectIdSchema } from '../../core/identifiers.ts';
import type { Clock, Plangrep, PlangrepFailure } from '../../core/ports.ts';
import { DependencyUnavailable } from '../../core/report.ts';
import { type Answer, failed, succeeded, unknown } from './plangrep-answer.ts';
import { type Deadline, startDeadline } from './plangrep-deadline.ts';
import { createExchange, type Exchange, type Sent } from './plangrep-http.ts';
import { parseJob, parseJobs } from './plangrep-job.ts';
import type { PlangrepKey } from './plangrep-key.ts';
import { parsePlangrepOrigin } from './plangrep-origin.ts';

export interface PlangrepDependencies {
  /** Plangrep's origin: https, or http on loopback. `/api/open/v1` is added here. */
  readonly baseUrl: string;
  readonly key: PlangrepKey;
  readonly clock: Pick<Clock, 'now'>;
}

const CALL_MS = 5_000;
/** With less than this left a call would likely end as "unknown": better not to begin it. */
const MIN_CALL_MS = 100;
const MAX_JOB_BYTES = 256 * 1024;
const MAX_LIST_BYTES = 8 * 1024 * 1024;

type Call = Pick<Sent, 'method' | 'path' | 'maxBytes'>;
/** The answer to a call, with the key it was made with. */
type Answered = { readonly kind: 'answered'; readonly answer: Answer; readonly key: string };

const notSent = (why: Extract<PlangrepFailure, { kind: 'not_sent' }>['why']): PlangrepFailure => ({
  kind: 'not_sent',
  why,
});

/**
 * Plangrep's jobs API (docs.plangrep.com, API reference, Jobs) over HTTP/1.1. Each call has one total deadline of 5 s,
 * or `untilMs` if sooner, over the key, the connection, the sending, the headers and the whole body. Repeated within a
 * call, once and at once: a connection that provably never opened, and a 401 after which Secrets Manager has another
 * key. If Secrets Manager cannot be asked for that one, the call ends as `not_sent`/`no_key`: a 401 has no effect.
 * No answer, and no error, carries the key, a body, a file name or a `resultUrl`.
 * @throws Error when created with a base URL that `parsePlangrepOrigin` refuses, or called with an id that is none
 */
export const createPlangrep = ({ baseUrl, key, clock }: PlangrepDependencies): Plangrep => {
  const exchange = createExchange(parsePlangrepOrigin(baseUrl), () => clock.now());

  const keyWithin = async (deadline: Deadline, get: () => Promise<string>): Promise<string | undefined> => {
    try {
      return await Promise.race([get(), deadline.expired]);
    } catch (error) {
      if (error instanceof DependencyUnavailable) return undefined;
      throw error;
    }
  };

  const send = async (call: Call, apiKey: string, deadline: Deadline): Promise<Answered | PlangrepFailure> => {
    if (deadline.remaining() < MIN_CALL_MS) return notSent('no_time');
    const sent: Sent = { ...call, headers: headersFor(call, apiKey) };
    let result: Exchange = await exchange(sent, deadline);
    if (result.kind === 'not_connected' && deadline.remaining() >= MIN_CALL_MS) result = await exchange(sent, deadline);
    switch (result.kind) {
      case 'not_connected':
        return notSent('no_connection');
      case 'no_answer':
        return unknown(result.why);
      case 'answer':
        return { kind: 'answered', answer: result, key: apiKey };
    }
  };

  const sendWithKey = async (call: Call, deadline: Deadline): Promise<Answered | PlangrepFailure> => {
    const first = await keyWithin(deadline, () => key.get());
    if (first === undefined) return notSent('no_key');
    const result = await send(call, first, deadline);
    if (result.kind !== 'answered' || result.answer.status !== 401) return result;

    const newest = await keyWithin(deadline, () => key.refetch());
    if (newest === undefined) return notSent('no_key');
    return newest === first ? result : send(call, newest, deadline);
  };

  const perform = async (call: Call, untilMs: number): Promise<Answered | PlangrepFailure> => {
    const ms = Math.min(CALL_MS, untilMs - clock.now());
    if (!(ms >= MIN_CALL_MS)) return notSent('no_time');
    const deadline = startDeadline(ms);
    try {
      return await sendWithKey(call, deadline);
    } finally {
      deadline.clear();
    }
  };

  const jobAnswer = (jobId: JobId, { answer, key: used }: Answered) => {
    if (!isSuccess(answer)) return failed(answer, used, clock.now());
    const job = succeeded(answer, used, parseJob);
    if ('kind' in job) return job;
    return job.id === jobId ? { kind: 'job' as const, job } : unknown('wrong_job', answer.status);
  };

  return {
    async cancel(jobId, untilMs) {
      const path = `${jobPath(jobId)}/cancel`;
      const result = await perform({ method: 'POST', path, maxBytes: MAX_JOB_BYTES }, untilMs);
      return result.kind === 'answered' ? jobAnswer(jobId, result) : result;
    },
    async read(jobId, untilMs) {
      const result = await perform({ method: 'GET', path: jobPath(jobId), maxBytes: MAX_JOB_BYTES }, untilMs);
      if (result.kind !== 'answered') return result;
      return result.answer.status === 404 ? { kind: 'not_found' } : jobAnswer(jobId, result);
    },
    async list(projectId, untilMs) {
      const path = `/api/open/v1/projects/${projectIdSchema.parse(projectId)}/jobs`;
      const result = await perform({ method: 'GET', path, maxBytes: MAX_LIST_BYTES }, untilMs);
      if (result.kind !== 'answered') return result;
      const { answer, key: used } = result;
      if (answer.status === 404) return { kind: 'not_found' };
      if (!isSuccess(answer)) return failed(answer, used, clock.now());
      const jobs = succeeded(answer, used, parseJobs);
      return 'kind' in jobs ? jobs : { kind: 'jobs', jobs };
    },
  };
};

const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300;

/** The pattern is checked again here: `encodeURIComponent` would let `..` through. */
const jobPath = (jobId: JobId): string => `/api/open/v1/jobs/${jobIdSchema.parse(jobId)}`;

const headersFor = ({ method }: Call, apiKey: string): Record<string, string> => ({
  Accept: 'application/json',
  'Accept-Encoding': 'identity',
  Authorization: `Bearer ${apiKey}`,
  'User-Agent': 'plangrep-cancellation/1',
  ...(method === 'POST' ? { 'Content-Length': '0' } : {}),
});
