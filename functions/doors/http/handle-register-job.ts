import { jobPathSchema, registerJobSchema } from '../../contract/requests.ts';
import { toTimestamp } from '../../core/identifiers.ts';
import type { Ports } from '../../core/ports.ts';
import { registerJob } from '../../core/use-cases/register-job.ts';
import { check, readBody } from './read-input.ts';
import { type HttpHandler, problem, serve } from './serve.ts';

/** `PUT /v1/jobs/{jobId}` */
export function handleRegisterJob(ports: Pick<Ports, 'directory' | 'clock' | 'report'>): HttpHandler {
  return serve('jobs:write', ports, async (event, { partnerId, requestId }) => {
    const path = check(event.pathParameters ?? {}, jobPathSchema);
    if (path.kind === 'problem') return path;
    const body = readBody(event, registerJobSchema);
    if (body.kind === 'problem') return body;
    const { jobId } = path.value;
    const { externalId, projectId } = body.value;
    const registeredAt = toTimestamp(ports.clock.now());
    const job = { partnerId, externalId, jobId, projectId, registeredAt };
    const registered = await registerJob(ports, { ...job, door: 'https', requestId });
    if (registered.kind === 'taken') {
      const detail = 'A job keeps the partner and the externalId of its first registration.';
      return problem('job_registered_otherwise', detail);
    }
    const { entry } = registered;
    const answer = { jobId, externalId, projectId: entry.projectId ?? null, registeredAt: entry.registeredAt };
    return { kind: 'success', status: 200, body: answer };
  });
}
