import { composeEventsDoor } from './compose.ts';
import { connectFirst } from './connect-first.ts';
import { handleEvents } from './doors/eventbridge/handle-events.ts';

export const handler = connectFirst(handleEvents(...composeEventsDoor()));
