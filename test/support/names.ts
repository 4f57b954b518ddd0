import type { CancelRequest } from '../../functions/core/cancel-request.ts';
import type { Retention } from '../../functions/core/retention.ts';
import { externalIdSchema, jobIdSchema, partnerIdSchema, projectIdSchema } from '../../functions/core/identifiers.ts';

/** The documented example (Plangrep's API reference, Cancel a job), and the partner who owns it. */
export const acme = partnerIdSchema.parse('acme');
export const globex = partnerIdSchema.parse('globex');
export const order7890 = externalIdSchema.parse('order-7890');
export const documentedJob = jobIdSchema.parse('job_01hy3m8qtn2e5r7k9p0w4x1def');
export const documentedProject = projectIdSchema.parse('proj_01hx9z4kqr8e7m3p5n6w2v0abc');

/** Long, so that nothing has expired that tests date in the past. */
export const retention: Retention = { events: 3_650, requests: 3_650, jobs: 3_650 };

export const jobId = (text: string) => jobIdSchema.parse(text);
export const externalId = (text: string) => externalIdSchema.parse(text);

/** acme's plain request for the documented job, as the HTTPS door hands it over. */
export const cancelOrder7890: CancelRequest = {
  partnerId: acme,
  externalId: order7890,
  door: 'https',
  requestId: 'request-1',
  keyId: 'key',
  refusal: 'final',
  untilMs: Number.MAX_SAFE_INTEGER,
};
