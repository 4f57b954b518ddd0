import { composeDelivering } from './compose/compose-outgoing.ts';
import { handleCallbacks } from './doors/callbacks/handle-callbacks.ts';

/** Takes the messages of the callbacks queue, and runs by the schedule, every minute. */
export const handler = handleCallbacks(composeDelivering());
