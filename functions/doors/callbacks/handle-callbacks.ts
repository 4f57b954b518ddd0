import type { Context, EventBridgeEvent, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type CallbackMessage, readCallbackMessage, subjectOf } from '../../core/callbacks/callback-message.ts';
import type { CallbackPorts } from '../../core/callbacks/ports.ts';
import { reportFailure, reportUnreadable } from '../../core/report.ts';
import { deliverCallbacks } from '../../core/use-cases/deliver-callbacks.ts';
import { sendDueCallbacks } from '../../core/use-cases/send-due-callbacks.ts';
import { testCallback } from '../../core/use-cases/test-callback.ts';

/** Kept free at the end of an invocation for the last put, with the SDK's repeats. */
const RESERVE_MS = 3_000;

/** From one try of a message whose handling failed to the next. The last failure gives it back to the queue. */
const AGAIN_AFTER_MS = [1_000, 3_000] as const;

/** The door of the callbacks queue, and of the schedule that finds the attempts that are due. */
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
  for (const waitMs of [...AGAIN_AFTER_MS, undefined]) {
    try {
      await handleOne(ports, message, untilMs);
      return true;
    } catch (error) {
      const { partnerId } = message;
      reportFailure(ports.report, error, { partnerId, jobId: 'jobId' in message ? message.jobId : undefined });
      // It holds its group until it is done, so a short failure must not cost the queue's long pause.
      if (waitMs !== undefined) await ports.clock.sleep(waitMs);
    }
  }
  return false;
}

async function handleOne(ports: CallbackPorts, message: CallbackMessage, untilMs: number): Promise<void> {
  const subject = subjectOf(message);
  if (subject !== undefined) {
    const replay = 'replay' in message ? message.replay : undefined;
    await deliverCallbacks(ports, subject, { replay, untilMs });
  } else if ('test' in message) {
    await testCallback(ports, message.partnerId, message.test);
  }
}
