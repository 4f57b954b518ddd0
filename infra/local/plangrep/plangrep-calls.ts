import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import * as z from 'zod/mini';
import type { CallKind, SimulatedAnswer } from './plangrep-faults.ts';
import type { JobStore } from './plangrep-job-store.ts';
import { externalIdSchema, type SimulatedJob } from './plangrep-jobs.ts';
import { validate } from '../validate.ts';

/** A request to Plangrep's jobs API, understood. */
export interface Call {
  readonly kind: CallKind;
  /** The job or the project that the path names. */
  readonly id: string;
}

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const paths: readonly { method: string; pattern: RegExp; kind: CallKind }[] = [
  { method: 'POST', pattern: /^\/api\/open\/v1\/jobs\/([^/]+)\/cancel$/, kind: 'cancel' },
  { method: 'GET', pattern: /^\/api\/open\/v1\/jobs\/([^/]+)$/, kind: 'read' },
  { method: 'GET', pattern: /^\/api\/open\/v1\/projects\/([^/]+)\/jobs$/, kind: 'list' },
  { method: 'POST', pattern: /^\/api\/open\/v1\/projects\/([^/]+)\/jobs$/, kind: 'create' },
];

const createBodySchema = z.strictObject({
  externalId: z.optional(z.nullable(externalIdSchema)),
  webhookUrl: z.optional(z.url()),
});

export const error = (status: number, code: string, message: string): SimulatedAnswer => ({
  status,
  body: { code, message },
});

/** @param path without its query */
export const recognizeCall = (method: string, path: string): Call => {
  for (const candidate of paths) {
    const id = candidate.method === method ? candidate.pattern.exec(path)?.[1] : undefined;
    if (id !== undefined) return { kind: candidate.kind, id };
  }
  return { kind: 'other', id: '' };
};

/** Does what the call asks for, and answers as Plangrep's API reference says. */
export const perform = (call: Call, { headers, body }: Received, store: JobStore): SimulatedAnswer => {
  switch (call.kind) {
    case 'cancel': {
      const job = store.cancel(call.id);
      if (job === 'terminal') return error(409, 'job_already_terminal', 'The job has ended already.');
      return jobOr404(job);
    }
    case 'create':
      return createJob(call.id, headers['idempotency-key'], body, store);
    case 'read':
    case 'list':
    case 'other':
      return look(call, store);
  }
};

/** What there is to see, without doing anything: the body of an answer to a call that is to have no effect. */
export const look = (call: Call, store: JobStore): SimulatedAnswer => {
  switch (call.kind) {
    case 'cancel':
    case 'read':
      return jobOr404(store.get(call.id));
    case 'list': {
      // Newest first; of two created in one millisecond the one added later.
      const jobs = store.all().filter(({ projectId }) => projectId === call.id);
      const newestFirst = jobs.toReversed().sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
      return { status: 200, body: { jobs: newestFirst } };
    }
    case 'create':
    case 'other':
      return error(404, 'not_found', 'There is nothing at this address.');
  }
};

const jobOr404 = (job: SimulatedJob | undefined): SimulatedAnswer =>
  job ? { status: 200, body: { job } } : error(404, 'job_not_found', 'There is no such job.');

const createJob = (
  projectId: string,
  idempotencyKey: string | string[] | undefined,
  body: string,
  store: JobStore,
): SimulatedAnswer => {
  const key = idempotencyKey?.toString();
  if (key !== undefined && key.length > 256) {
    return error(400, 'invalid_request', 'The Idempotency-Key is longer than 256 characters.');
  }
  const order = validate(createBodySchema, parseJson(body));
  if (!order.valid) return error(400, 'invalid_request', order.message);
  const { externalId = null, webhookUrl } = order.value;
  const { job, idempotent } = store.create({ projectId, externalId, status: 'awaiting_uploads' }, key);
  const webhookSigningSecret = webhookUrl && !idempotent ? `whsec_${randomBytes(24).toString('base64')}` : undefined;
  return {
    status: 202,
    body: { job, ...(idempotent ? { idempotent } : {}), ...(webhookSigningSecret ? { webhookSigningSecret } : {}) },
  };
};

/** An empty body stands for an empty object; what is no JSON becomes undefined, which no schema takes. */
export const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body || '{}');
  } catch {
    return undefined;
  }
};
