import type { CallbackBody } from '../../functions/contract/callbacks.ts';
import type { Examples } from './document.ts';
import { cancelled, pending, refused, tooLate } from './example-cancellations.ts';

function example(summary: string, type: CallbackBody['type'], timestamp: string, data: object): Examples[string] {
  return { summary, value: { type, timestamp, data } };
}

/** Bodies of callbacks, by the name of their schema. */
export const callbackExamples: Readonly<Record<string, Examples>> = {
  CancellationClosed: {
    cancelled: example('Cancelled', 'cancellation.closed', cancelled.closedAt, cancelled),
    too_late: example('The job was completed first', 'cancellation.closed', tooLate.closedAt, tooLate),
  },
  CancellationEscalated: {
    escalated: example('Open for 15 minutes', 'cancellation.escalated', '2026-11-02T09:37:08.114Z', {
      ...pending,
      escalatedAt: '2026-11-02T09:37:08.114Z',
      nextLookAt: '2026-11-02T09:37:13.305Z',
    }),
  },
  CancellationRefused: {
    refused: example('No job has the externalId', 'cancellation.refused', refused.at, {
      ...refused,
      externalId: 'order-0000',
    }),
  },
  CallbackTest: {
    test: example('A test', 'callback.test', '2026-11-02T09:22:08.114Z', { testId: 'test_01' }),
  },
};
