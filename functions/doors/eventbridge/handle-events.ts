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
  /** A UUID in EventBridge; in any case nothing that a decoder could have changed. */
  id: z.string().check(z.regex(/^[\x20-\x7e]{1,128}$/, 'must be 1 to 128 printable ASCII characters')),
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
    const failures = Records.map(async (record) => {
      const isLastTry = Number(record.attributes.ApproximateReceiveCount) >= maxReceives;
      const handled = await handleRecord(ports, record, { untilMs, refusal: isLastTry ? 'final' : 'provisional' });
      return handled === 'again' ? [{ itemIdentifier: record.messageId }] : [];
    });
    return { batchItemFailures: (await Promise.all(failures)).flat() };
  };
}

type Try = Pick<CancelRequest, 'untilMs' | 'refusal'>;

async function handleRecord(ports: Ports, { messageId, body }: SQSRecord, thisTry: Try): Promise<Handled> {
  const envelope = parseEnvelope(body);
  if (envelope === 'malformed') {
    ports.report('EVENT_MALFORMED', { messageId });
    return 'again';
  }
  try {
    return envelope.detailType === 'Job Registered'
      ? await register(ports, envelope)
      : await cancel(ports, envelope, thisTry);
  } catch (error) {
    reportFailure(ports.report, error, { messageId, requestId: envelope.id });
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

async function register(ports: Ports, { partnerId, id, time, detail }: EnvelopeOf<'Job Registered'>): Promise<Handled> {
  const job = { ...detail, partnerId, registeredAt: time };
  const registered = await registerJob(ports, { ...job, door: 'events', requestId: id });
  return registered.kind === 'registered' ? 'done' : 'again';
}

/** A refused cancel may succeed later: its job is registered meanwhile, or one of two live jobs ends. */
async function cancel(
  ports: Ports,
  { partnerId, id, time, detail }: EnvelopeOf<'Job Cancellation Requested'>,
  thisTry: Try,
): Promise<Handled> {
  const request = { ...detail, ...thisTry, partnerId, requestKey: `event-id:${id}`, eventTime: time, requestId: id };
  const end = await requestCancellation(ports, { ...request, door: 'events' });
  if (end.kind === 'open' || end.kind === 'closed') return 'done';
  const isLastTry = thisTry.refusal === 'final';
  ports.report('EVENT_REFUSED', { partnerId, requestId: id, why: end.kind, isLastTry });
  return 'again';
}
