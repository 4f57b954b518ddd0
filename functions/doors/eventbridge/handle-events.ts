import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { CancelRequest } from '../../core/cancel-request.ts';
import { earliest, type Timestamp, toTimestamp } from '../../core/identifiers.ts';
import type { Ports } from '../../core/ports.ts';
import { reportFailure, reportWith } from '../../core/report.ts';
import { registerJob } from '../../core/use-cases/register-job.ts';
import { requestCancellation } from '../../core/use-cases/request-cancellation.ts';
import { type EventEnvelope, type MalformedEvent, readEvent } from './read-event.ts';

type EventOf<DetailType> = Extract<EventEnvelope, { detailType: DetailType }>;

/** `again`: the queue delivers the message again, and after its last try moves it to the DLQ. */
type Handled = 'done' | 'again';

/** Kept free at the end of an invocation for the last put, with the SDK's repeats. */
const RESERVE_MS = 5_000;

export interface EventsQueue {
  /** How often the queue delivers a message before it moves it to the DLQ. */
  readonly maxReceives: number;
  /** Puts a message into the DLQ at once. @throws DependencyUnavailable */
  readonly setAside: (body: string) => Promise<void>;
}

/**
 * The events door: EventBridge rule → SQS → here. A message that fails is reported alone, and the others of its batch
 * succeed (AWS Lambda Developer Guide, Reporting batch item failures).
 */
export function handleEvents(ports: Ports, queue: EventsQueue) {
  return async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const untilMs = ports.clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
    const failures = Records.map(async (record) => {
      const delivery = { number: Number(record.attributes.ApproximateReceiveCount), max: queue.maxReceives };
      const refusal = delivery.number >= delivery.max ? 'final' : 'provisional';
      const sentAt = toTimestamp(Number(record.attributes.SentTimestamp));
      const handled = await handleRecord(ports, queue, record, { untilMs, refusal, delivery, sentAt });
      return handled === 'again' ? [{ itemIdentifier: record.messageId }] : [];
    });
    return { batchItemFailures: (await Promise.all(failures)).flat() };
  };
}

interface Try extends Pick<CancelRequest, 'untilMs' | 'refusal' | 'delivery'> {
  /** When the queue took the event, by AWS's clock: it did not happen later, whatever its sender's clock shows. */
  readonly sentAt: Timestamp;
}

/** Every line that an event causes has its `id` as `requestId`. */
async function handleRecord(
  allPorts: Ports,
  queue: EventsQueue,
  { messageId, body }: SQSRecord,
  thisTry: Try,
): Promise<Handled> {
  const read = readEvent(body);
  const { partnerId, id: requestId } =
    read.kind === 'event' ? read.event : { partnerId: read.partnerId, id: read.eventId };
  const report = reportWith(allPorts.report, { messageId, partnerId, requestId });
  const ports = { ...allPorts, report };
  try {
    if (read.kind === 'malformed') return await setMalformedAside(ports, queue, body, read);
    const { event } = read;
    return event.detailType === 'Job Registered'
      ? await register(ports, event, thisTry)
      : await cancel(ports, event, thisTry);
  } catch (error) {
    reportFailure(report, error, {});
    if (thisTry.refusal === 'final') report('EVENT_FAILED');
    return 'again';
  }
}

/** No further delivery can help, and none of the queue's tries is spent on it: the message goes to the DLQ as it is. */
async function setMalformedAside(
  { report }: Ports,
  { setAside }: EventsQueue,
  body: string,
  { path, what }: MalformedEvent,
): Promise<Handled> {
  report('EVENT_MALFORMED', { path, what });
  await setAside(body);
  return 'done';
}

/** A refused registration may succeed later: Plangrep shows the job only then, or another job of the name ends. */
async function register(
  ports: Ports,
  { partnerId, id, time, detail }: EventOf<'Job Registered'>,
  { untilMs, delivery, refusal, sentAt }: Try,
): Promise<Handled> {
  const job = { ...detail, partnerId, registeredAt: earliest(time, sentAt) };
  const end = await registerJob(ports, { ...job, door: 'events', requestId: id, sentAt, untilMs, delivery });
  if (end.kind === 'registered') return 'done';
  if (refusal === 'final' && end.kind === 'unresolved') {
    ports.report('EVENT_FAILED');
  }
  return 'again';
}

/** A refused cancel may succeed later: its job is registered meanwhile, or one of two live jobs ends. */
async function cancel(
  ports: Ports,
  { partnerId, id, time, detail }: EventOf<'Job Cancellation Requested'>,
  thisTry: Try,
): Promise<Handled> {
  const request = { ...detail, ...thisTry, partnerId, requestKey: `event-id:${id}`, eventTime: time, requestId: id };
  const end = await requestCancellation(ports, { ...request, door: 'events' });
  if (end.kind === 'open' || end.kind === 'closed') return 'done';
  const isLastTry = thisTry.refusal === 'final';
  ports.report('EVENT_REFUSED', { why: end.kind, isLastTry });
  // A refusal, or that a repeat would get further, is the partner's to resolve. That nothing is known is not.
  if (isLastTry && end.kind === 'unresolved' && end.retryAfterMs === undefined) {
    ports.report('EVENT_FAILED');
  }
  return 'again';
}
