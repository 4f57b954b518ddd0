import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { AttemptPorts } from '../../core/ports.ts';
import { reportFailure, reportUnreadable } from '../../core/report.ts';
import { lookAtWakeUp } from '../../core/use-cases/look-at-wake-up.ts';
import { readWakeUpMessage } from '../../core/wake-up-message.ts';

/** Kept free at the end of an invocation for the last put, with the SDK's repeats. */
const RESERVE_MS = 5_000;

/**
 * A message that comes back so often is dropped: either its looks fail, or it ends the process. The index still has its
 * wake-up, and the schedule looks at it.
 */
const MAX_RECEIVES = 3;

type Handled = 'done' | 'again';

/** The door of the wake-up queue: SQS → here. A message that fails is reported alone, and the others of its batch succeed. */
export function handleWakeUps(ports: AttemptPorts) {
  return async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const untilMs = ports.clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
    const failures = Records.map(async (record) => {
      const handled = await handleRecord(ports, record, untilMs);
      return handled === 'again' ? [{ itemIdentifier: record.messageId }] : [];
    });
    return { batchItemFailures: (await Promise.all(failures)).flat() };
  };
}

async function handleRecord(
  ports: AttemptPorts,
  { messageId, body, attributes }: SQSRecord,
  untilMs: number,
): Promise<Handled> {
  const receives = Number(attributes.ApproximateReceiveCount);
  if (receives > MAX_RECEIVES) return 'done';
  const wakeUp = readWakeUpMessage(body);
  if (wakeUp === undefined) {
    reportUnreadable(ports.report, 'wake-ups', [messageId]);
    return 'done';
  }
  try {
    await lookAtWakeUp(ports, wakeUp, untilMs);
    return 'done';
  } catch (error) {
    const { partnerId, jobId } = wakeUp;
    reportFailure(ports.report, error, { partnerId, jobId });
    return receives === MAX_RECEIVES ? 'done' : 'again';
  }
}
