import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import * as z from 'zod/mini';
import { error, type SimulatedAnswer } from '../../../functions/simulator/plangrep-calls.ts';
import { externalIdSchema } from '../../../functions/simulator/plangrep-jobs.ts';
import { validate } from '../aws/validate.ts';
import type { JobStore } from './plangrep-job-store.ts';

const createBodySchema = z.strictObject({
  externalId: z.optional(z.nullable(externalIdSchema)),
  webhookUrl: z.optional(z.url()),
});

/** Plangrep's "create a job", which the upstream system calls: answers 202, or 400 in words. */
export const createJob = (
  projectId: string,
  { headers, body }: { readonly headers: IncomingHttpHeaders; readonly body: string },
  store: JobStore,
): SimulatedAnswer => {
  const key = headers['idempotency-key']?.toString();
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
