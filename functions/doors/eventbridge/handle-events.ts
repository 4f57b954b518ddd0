import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Ports } from '../../core/ports.ts';
import { registerJob } from '../../core/use-cases/register-job.ts';
import { reportFailure } from '../../core/report.ts';
import { requestCancellation } from '../../core/use-cases/request-cancellation.ts';
import { type Envelope, envelopeSchema } from './envelope.ts';

export type EventsHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/** Kept free at the end of an invocation: the last put, with the SDK's repeats. */
const RESERVE_MS = 5_000;

/** What became of one message: done; or to be tried again, until the queue gives it to the DLQ. */
type Handled = 'done' | 'again';

/**
 * The events door: EventBridge rule → SQS → here. Each message stands for itself: one that fails is reported alone
 * (AWS Lambda Developer Guide, Reporting batch item failures), and the queue tries it again, at last into its DLQ.
 * @param maxReceives how often the queue hands out a message before that
 */
export const handleEvents =
  (ports: Ports, maxReceives: number): EventsHandler =>
  async ({ Records }, context) => {
    const untilMs = ports.clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
    const handled = await Promise.all(
      Records.map(async (record) => ({ record, end: await handleRecord(ports, record, untilMs, maxReceives) })),
    );
    const failed = handled.filter(({ end }) => end === 'again');
    return { batchItemFailures: failed.map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };

const handleRecord = async (
  ports: Ports,
  { messageId, body, attributes }: SQSRecord,
  untilMs: number,
  maxReceives: number,
): Promise<Handled> => {
  const { report } = ports;
  const envelope = parseEnvelope(body);
  if (envelope === undefined) {
    report('EVENT_MALFORMED', { messageId });
    return 'again';
  }
  const isLastTry = Number(attributes.ApproximateReceiveCount) >= maxReceives;
  try {
    return envelope.detailType === 'Job Registered'
      ? await register(ports, envelope)
      : await cancel(ports, envelope, untilMs, isLastTry);
  } catch (error) {
    reportFailure(report, error, { messageId, requestId: envelope.id });
    return 'again';
  }
};

const parseEnvelope = (body: string): Envelope | undefined => {
  try {
    return envelopeSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
};

type EnvelopeOf<DetailType> = Extract<Envelope, { detailType: DetailType }>;

const register = async (
  ports: Ports,
  { partnerId, id, time, detail }: EnvelopeOf<'Job Registered'>,
): Promise<Handled> => {
  const job = { ...detail, partnerId, registeredAt: time };
  const registered = await registerJob(ports, { ...job, door: 'events', requestId: id });
  return registered.kind === 'registered' ? 'done' : 'again';
};

/** A refusal may mend itself: the job's registration may be on its way, or one of two live jobs may end. */
const cancel = async (
  ports: Ports,
  { partnerId, id, time, detail }: EnvelopeOf<'Job Cancellation Requested'>,
  untilMs: number,
  isLastTry: boolean,
): Promise<Handled> => {
  const end = await requestCancellation(ports, {
    ...detail,
    partnerId,
    requestKey: `event-id:${id}`,
    eventTime: time,
    requestId: id,
    refusal: isLastTry ? 'final' : 'provisional',
    untilMs,
    door: 'events',
  });
  if (end.kind === 'open' || end.kind === 'closed') return 'done';
  ports.report('EVENT_REFUSED', { partnerId, requestId: id, why: end.kind, isLastTry });
  return 'again';
};
