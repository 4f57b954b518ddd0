import { composeCancelling, composeEventsQueue } from './compose.ts';
import { handleEvents } from './doors/eventbridge/handle-events.ts';

export const handler = handleEvents(composeCancelling(), composeEventsQueue());
