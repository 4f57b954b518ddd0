import type { Ports } from '../../core/ports.ts';
import { readCancellation, readCancellationsOf } from '../../core/use-cases/read-cancellations.ts';
import { type Problem, retryAfter } from './answer.ts';
import { jobPathSchema, readByExternalIdSchema } from '../../contract/requests.ts';
import { presentWithTimeline } from './present-cancellation.ts';
import { check, invalid } from './read-input.ts';
import { type HttpHandler, serve } from './serve.ts';

type ReadPorts = Pick<Ports, 'log' | 'directory' | 'clock' | 'report'>;

const notFound: Problem = {
  kind: 'problem',
  code: 'job_not_found',
  detail: 'No job of yours has this externalId or jobId.',
};

/** `GET /v1/cancellations?externalId=` and `GET /v1/cancellations/{jobId}` */
export const handleReadCancellations = (ports: ReadPorts): HttpHandler =>
  serve('cancellations:read', ports, async (event, { partnerId }) => {
    const parameters = Object.entries(event.multiValueQueryStringParameters ?? {});
    if (event.pathParameters?.['jobId'] === undefined) {
      const repeated = parameters.filter(([, values]) => values?.length !== 1);
      if (repeated.length > 0) return invalid(repeated.map(([path]) => ({ path, message: 'is given more than once' })));
      const query = check(
        Object.fromEntries(parameters.map(([name, values]) => [name, values?.[0]])),
        readByExternalIdSchema,
      );
      if (query.kind === 'problem') return query;
      const views = await readCancellationsOf(ports, partnerId, query.value.externalId);
      if (views === undefined) return notFound;
      return { kind: 'success', status: 200, body: { cancellations: views.map(presentWithTimeline) } };
    }
    const names = check({ ...event.pathParameters, ...Object.fromEntries(parameters) }, jobPathSchema);
    if (names.kind === 'problem') return names;
    const view = await readCancellation(ports, partnerId, names.value.jobId);
    if (view === undefined) return notFound;
    const wait = view.wakeAt === undefined ? {} : retryAfter(Date.parse(view.wakeAt) - ports.clock.now());
    return { kind: 'success', status: 200, body: presentWithTimeline(view), headers: wait };
  });
