import type { APIGatewayProxyEvent } from 'aws-lambda';
import { readByExternalIdSchema, wrongCursor } from '../../contract/page-request.ts';
import { jobPathSchema } from '../../contract/requests.ts';
import type { PartnerId } from '../../core/identifiers.ts';
import type { Ports } from '../../core/ports.ts';
import { reportUnreadable } from '../../core/report.ts';
import {
  type CancellationView,
  isNamedView,
  JOBS_SHOWN,
  readCancellation,
  readCancellationsOf,
  type ReadPorts,
} from '../../core/use-cases/read-cancellations.ts';
import { nextLookInMs } from '../../core/use-cases/stay-with.ts';
import { readCursor, writeCursor } from './page-cursor.ts';
import { bytesOf, MAX_CANCELLATIONS_BYTES, presentRefusal, presentWithTimeline } from './present-cancellation.ts';
import { check, invalid, repeated } from './read-input.ts';
import { type HttpAnswer, type HttpHandler, jobNotFound, retryAfter, serve, unavailable } from './serve.ts';

type Reading = ReadPorts & Pick<Ports, 'clock'>;

/** `GET /v1/cancellations?externalId=` and `GET /v1/cancellations/{jobId}` */
export function handleReadCancellations(ports: Reading): HttpHandler {
  return serve('cancellations:read', ports, (event, { partnerId }, reporting) =>
    event.pathParameters?.['jobId'] === undefined
      ? readByExternalId(reporting, partnerId, event)
      : readByJobId(reporting, partnerId, event),
  );
}

async function readByExternalId(
  ports: Reading,
  partnerId: PartnerId,
  { multiValueQueryStringParameters }: APIGatewayProxyEvent,
): Promise<HttpAnswer> {
  const parameters = Object.entries(multiValueQueryStringParameters ?? {});
  const names = parameters.filter(([, values]) => values?.length !== 1).map(([name]) => name);
  if (names.length > 0) return repeated(names);
  const given = Object.fromEntries(parameters.map(([name, values]) => [name, values?.[0]]));
  const query = check(given, readByExternalIdSchema);
  if (query.kind === 'problem') return query;
  const { externalId, limit = JOBS_SHOWN, cursor } = query.value;
  const jobs = { partnerId, externalId };
  const after = cursor === undefined ? undefined : readCursor(jobs, cursor);
  if (cursor !== undefined && after === undefined) return invalid([{ path: 'cursor', message: wrongCursor }]);
  const found = await readCancellationsOf(ports, {
    ...jobs,
    limit,
    after,
    maxBytes: MAX_CANCELLATIONS_BYTES,
    bytesOf: (view) => bytesOf(presentWithTimeline(view)),
  });
  switch (found.kind) {
    case 'job_not_found':
      return jobNotFound(partnerId);
    case 'unresolved':
      return unavailable('The records of this externalId cannot be read at the moment. Repeat the request.');
    case 'cancellations': {
      const cancellations = found.views.map(presentWithTimeline);
      const refusals = found.refused.refusals.map(presentRefusal);
      const refusedCount = found.refused.count;
      const nextCursor = found.next === undefined ? null : writeCursor(jobs, found.next);
      return { kind: 'success', status: 200, body: { cancellations, refusals, refusedCount, nextCursor } };
    }
  }
}

async function readByJobId(
  ports: Reading,
  partnerId: PartnerId,
  { pathParameters, multiValueQueryStringParameters }: APIGatewayProxyEvent,
): Promise<HttpAnswer> {
  const names = check({ ...pathParameters, ...multiValueQueryStringParameters }, jobPathSchema);
  if (names.kind === 'problem') return names;
  const view = await readCancellation(ports, partnerId, names.value.jobId);
  if (view === undefined || !isNamedView(view)) return jobNotFound(partnerId);
  reportUnreadable(ports.report, 'cancellation-log', view.unreadable);
  return { kind: 'success', status: 200, body: presentWithTimeline(view), headers: nextLook(view, ports) };
}

/** When a caller that asks again finds more than it knows. A closed cancellation stays as it is. */
function nextLook({ state, wakeAt }: CancellationView, { clock }: Pick<Ports, 'clock'>): HttpAnswer['headers'] {
  if (wakeAt === undefined || state.step.kind === 'closed') return {};
  return retryAfter(nextLookInMs({ kind: 'open', state, wakeAt }, clock.now()));
}
