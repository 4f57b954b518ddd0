import type { Context, EventBridgeEvent, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { readCallbackMessage, subjectOf } from '../../core/callbacks/callback-message.ts';
import type { CallbackPorts } from '../../core/callbacks/ports.ts';
import { reportFailure, reportUnreadable } from '../../core/report.ts';
import { deliverCallbacks } from '../../core/use-cases/deliver-callbacks.ts';
import { sendDueCallbacks } from '../../core/use-cases/send-due-callbacks.ts';
import { testCallback } from '../../core/use-cases/test-callback.ts';

/** Kept free at the end of an invocation for the last put, with the SDK's repeats. */
const RESERVE_MS = 3_000;

/**
 * The door of the callbacks queue, and of the schedule that finds what the queue does not bring. All messages of a batch are
 * worked on at the same time, so a slow endpoint delays no other's callback; one that fails is reported alone, and comes back.
 */
export function handleCallbacks(ports: CallbackPorts) {
  return async (
    event: SQSEvent | EventBridgeEvent<'Scheduled Event', unknown>,
    context: Context,
  ): Promise<SQSBatchResponse> => {
    const untilMs = ports.clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
    if (!('Records' in event)) {
      await sendDueCallbacks(ports, untilMs);
      return { batchItemFailures: [] };
    }
    const failures = event.Records.map(async (record) => {
      const isHandled = await handleMessage(ports, record, untilMs);
      return isHandled ? [] : [{ itemIdentifier: record.messageId }];
    });
    return { batchItemFailures: (await Promise.all(failures)).flat() };
  };
}

async function handleMessage(ports: CallbackPorts, { messageId, body }: SQSRecord, untilMs: number): Promise<boolean> {
  const message = readCallbackMessage(body);
  if (message === undefined) {
    // No repeat makes it better.
    reportUnreadable(ports.report, 'callbacks', [messageId]);
    return true;
  }
  const subject = subjectOf(message);
  try {
    if (subject !== undefined) {
      await deliverCallbacks(ports, subject, { replay: 'replay' in message ? message.replay : undefined, untilMs });
    } else if ('test' in message) {
      await testCallback(ports, message.partnerId, message.test);
    }
    return true;
  } catch (error) {
    reportFailure(ports.report, error, {
      partnerId: message.partnerId,
      jobId: subject?.kind === 'job' ? subject.jobId : undefined,
    });
    return false;
  }
}
