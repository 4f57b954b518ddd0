import type { CallbackBody } from '../../contract/callbacks.ts';
import type { CallbackPorts } from '../../core/callbacks/ports.ts';
import { presentCancellation, presentRefusal } from '../http/present-cancellation.ts';

/**
 * The body of a callback, in JSON: the same on every attempt. A cancellation is as it was when that happened which the
 * callback tells of, and when it is looked at next is not part of that.
 */
export const presentCallback: CallbackPorts['present'] = (notice) => JSON.stringify(bodyOf(notice));

function bodyOf(notice: Parameters<CallbackPorts['present']>[0]): CallbackBody {
  const timestamp = notice.at;
  switch (notice.kind) {
    case 'closed':
    case 'escalated': {
      const data = presentCancellation(notice.state, undefined);
      return data.state === 'closed'
        ? { type: 'cancellation.closed', timestamp, data }
        : { type: 'cancellation.escalated', timestamp, data };
    }
    case 'refused': {
      const { refusal } = notice;
      return {
        type: 'cancellation.refused',
        timestamp,
        data: { ...presentRefusal(refusal), externalId: refusal.externalId },
      };
    }
    case 'test':
      return { type: 'callback.test', timestamp, data: { testId: notice.id } };
  }
}
