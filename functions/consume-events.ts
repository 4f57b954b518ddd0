import { composeEventsDoor } from './compose.ts';
import { handleEvents } from './doors/eventbridge/handle-events.ts';

export const handler = handleEvents(...composeEventsDoor());
