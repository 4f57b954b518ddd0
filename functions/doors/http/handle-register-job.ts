import type { RegisteredJob } from '../../contract/answers.ts';
import { jobPathSchema, registerJobSchema } from '../../contract/requests.ts';
import { type ExternalId, type PartnerId, toTimestamp } from '../../core/identifiers.ts';
import type { Ports } from '../../core/ports.ts';
import { JOBS_OF_ONE_NAME, type RegisterEnd, registerJob } from '../../core/use-cases/register-job.ts';
import { check, readBody } from './read-input.ts';
import { type HttpAnswer, type HttpHandler, jobNotFound, problem, serve, unavailable } from './serve.ts';

/** `PUT /v1/jobs/{jobId}` */
export function handleRegisterJob(ports: Omit<Ports, 'log' | 'wakeUpQueue'>): HttpHandler {
  return serve('jobs:write', ports, async (event, { partnerId, requestId, untilMs }, reporting) => {
    const path = check(event.pathParameters ?? {}, jobPathSchema);
    if (path.kind === 'problem') return path;
    const body = readBody(event, registerJobSchema);
    if (body.kind === 'problem') return body;
    const { jobId } = path.value;
    const registeredAt = toTimestamp(ports.clock.now());
    const job = { partnerId, jobId, ...body.value, registeredAt };
    const end = await registerJob(reporting, { ...job, door: 'https', requestId, untilMs });
    return answerFor(end, partnerId, body.value.externalId);
  });
}

function answerFor(end: RegisterEnd, partnerId: PartnerId, externalId: ExternalId): HttpAnswer {
  switch (end.kind) {
    case 'registered': {
      const { jobId, projectId = null, registeredAt, verifiedAt = null } = end.entry;
      const answer: RegisteredJob = { jobId, externalId, projectId, registeredAt, verifiedAt };
      return { kind: 'success', status: 200, body: answer };
    }
    case 'job_not_found':
      return jobNotFound(partnerId);
    case 'registered_otherwise':
      return problem('job_registered_otherwise', 'A job keeps the externalId of its first registration.');
    case 'too_many_jobs': {
      const detail = `${JOBS_OF_ONE_NAME} jobs with this externalId have not ended. Cancel one, or use another externalId.`;
      return problem('too_many_jobs', detail);
    }
    case 'unresolved':
      return unavailable('Plangrep did not answer which jobs with this externalId have ended. Repeat the request.');
  }
}
