import type { APIGatewayProxyEvent } from 'aws-lambda';
import { jobPathSchema, readByExternalIdSchema } from '../../contract/requests.ts';
import type { PartnerId } from '../../core/identifiers.ts';
import type { Ports } from '../../core/ports.ts';
import { readCancellation, readCancellationsOf } from '../../core/use-cases/read-cancellations.ts';
import { presentWithTimeline } from './present-cancellation.ts';
import { check, repeated } from './read-input.ts';
import { type HttpAnswer, type HttpHandler, problem, retryAfter, serve, unavailable } from './serve.ts';

type ReadPorts = Pick<Ports, 'log' | 'directory' | 'clock' | 'report'>;

const notFound = problem('job_not_found', 'No job of yours has this externalId or jobId.');

/** `GET /v1/cancellations?externalId=` and `GET /v1/cancellations/{jobId}` */
export function handleReadCancellations(ports: ReadPorts): HttpHandler {
  return serve('cancellations:read', ports, (event, { partnerId }) =>
    event.pathParameters?.['jobId'] === undefined
      ? readByExternalId(ports, partnerId, event)
      : readByJobId(ports, partnerId, event),
  );
}

async function readByExternalId(
  ports: ReadPorts,
  partnerId: PartnerId,
  { multiValueQueryStringParameters }: APIGatewayProxyEvent,
): Promise<HttpAnswer> {
  const parameters = Object.entries(multiValueQueryStringParameters ?? {});
  const names = parameters.filter(([, values]) => values?.length !== 1).map(([name]) => name);
  if (names.length > 0) return repeated(names);
  const given = Object.fromEntries(parameters.map(([name, values]) => [name, values?.[0]]));
  const query = check(given, readByExternalIdSchema);
  if (query.kind === 'problem') return query;
  const found = await readCancellationsOf(ports, partnerId, query.value.externalId);
  switch (found.kind) {
    case 'job_not_found':
      return notFound;
    case 'unresolved':
      return unavailable('The records of this externalId cannot be read at the moment. Repeat the request.');
    case 'cancellations':
      return { kind: 'success', status: 200, body: { cancellations: found.views.map(presentWithTimeline) } };
  }
}

async function readByJobId(
  ports: ReadPorts,
  partnerId: PartnerId,
  { pathParameters, multiValueQueryStringParameters }: APIGatewayProxyEvent,
): Promise<HttpAnswer> {
  const names = check({ ...pathParameters, ...multiValueQueryStringParameters }, jobPathSchema);
  if (names.kind === 'problem') return names;
  const view = await readCancellation(ports, partnerId, names.value.jobId);
  if (view === undefined) return notFound;
  const headers = view.wakeAt === undefined ? {} : retryAfter(Date.parse(view.wakeAt) - ports.clock.now());
  return { kind: 'success', status: 200, body: presentWithTimeline(view), headers };
}
