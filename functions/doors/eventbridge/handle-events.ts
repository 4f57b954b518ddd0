import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod/mini';
import { cancelRequestSchema, registerJobEventSchema } from '../../contract/requests.ts';
import type { CancelRequest } from '../../core/cancel-request.ts';
import { partnerIdSchema, toTimestamp } from '../../core/identifiers.ts';
import type { Ports } from '../../core/ports.ts';
import { reportFailure } from '../../core/report.ts';
import { registerJob } from '../../core/use-cases/register-job.ts';
import { requestCancellation } from '../../core/use-cases/request-cancellation.ts';

const common = {
  partnerId: partnerIdSchema,
  id: z.string().check(z.minLength(1), z.maxLength(128)),
  /** Whole seconds in EventBridge; here with milliseconds, so that times compare as text. */
  time: z.pipe(
    z.iso.datetime({ offset: true }),
    z.transform((time) => toTimestamp(Date.parse(time))),
  ),
};

/**
 * An EventBridge event as the partner's rule forwards it: the rule's input transformer adds the partner, so nothing in
 * `detail` can claim to be another one (Amazon EventBridge User Guide, Input transformation). The details are the HTTPS
 * door's requests.
 */
export const envelopeSchema = z.discriminatedUnion('detailType', [
  z.strictObject({ ...common, detailType: z.literal('Job Cancellation Requested'), detail: cancelRequestSchema }),
  z.strictObject({ ...common, detailType: z.literal('Job Registered'), detail: registerJobEventSchema }),
]);
type Envelope = z.infer<typeof envelopeSchema>;
type EnvelopeOf<DetailType> = Extract<Envelope, { detailType: DetailType }>;

/** `again`: the queue delivers the message again, and after its last try moves it to the DLQ. */
type Handled = 'done' | 'again';

/** What all messages of a batch share. */
interface Batch {
  readonly ports: Ports;
  readonly maxReceives: number;
  /** Milliseconds since 1970: calls to Plangrep end by then. */
  readonly untilMs: number;
}

/** Kept free at the end of an invocation for the last put, with the SDK's repeats. */
const RESERVE_MS = 5_000;

/**
 * The events door: EventBridge rule → SQS → here. A message that fails is reported alone, and the others of its batch
 * succeed (AWS Lambda Developer Guide, Reporting batch item failures).
 * @param maxReceives how often the queue delivers a message before it moves it to the DLQ
 */
export function handleEvents(ports: Ports, maxReceives: number) {
  return async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const untilMs = ports.clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
    const batch = { ports, maxReceives, untilMs };
    const handled = await Promise.all(
      Records.map(async (record) => ({ record, end: await handleRecord(batch, record) })),
    );
    const failed = handled.filter(({ end }) => end === 'again');
    return { batchItemFailures: failed.map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };
}

async function handleRecord(batch: Batch, { messageId, body, attributes }: SQSRecord): Promise<Handled> {
  const { report } = batch.ports;
  const envelope = parseEnvelope(body);
  if (envelope === 'malformed') {
    report('EVENT_MALFORMED', { messageId });
    return 'again';
  }
  const refusal = Number(attributes.ApproximateReceiveCount) >= batch.maxReceives ? 'final' : 'provisional';
  try {
    return envelope.detailType === 'Job Registered'
      ? await register(batch, envelope)
      : await cancel(batch, envelope, refusal);
  } catch (error) {
    reportFailure(report, error, { messageId, requestId: envelope.id });
    return 'again';
  }
}

function parseEnvelope(body: string): Envelope | 'malformed' {
  try {
    return envelopeSchema.safeParse(JSON.parse(body)).data ?? 'malformed';
  } catch {
    return 'malformed';
  }
}

async function register(
  { ports }: Batch,
  { partnerId, id, time, detail }: EnvelopeOf<'Job Registered'>,
): Promise<Handled> {
  const job = { ...detail, partnerId, registeredAt: time };
  const registered = await registerJob(ports, { ...job, door: 'events', requestId: id });
  return registered.kind === 'registered' ? 'done' : 'again';
}

/** A refused cancel may succeed later: its job is registered meanwhile, or one of two live jobs ends. */
async function cancel(
  { ports, untilMs }: Batch,
  { partnerId, id, time, detail }: EnvelopeOf<'Job Cancellation Requested'>,
  refusal: CancelRequest['refusal'],
): Promise<Handled> {
  const end = await requestCancellation(ports, {
    ...detail,
    partnerId,
    requestKey: `event-id:${id}`,
    eventTime: time,
    requestId: id,
    refusal,
    untilMs,
    door: 'events',
  });
  if (end.kind === 'open' || end.kind === 'closed') return 'done';
  ports.report('EVENT_REFUSED', { partnerId, requestId: id, why: end.kind, isLastTry: refusal === 'final' });
  return 'again';
}
