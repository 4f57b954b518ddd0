import { composeEventsDoor, prepareReading } from './compose/compose-serving.ts';
import { connectFirst } from './connect-first.ts';
import { handleEvents } from './doors/eventbridge/handle-events.ts';

const [ports, queue] = composeEventsDoor();
export const handler = connectFirst(handleEvents(ports, queue));
export const prepared = prepareReading(ports);
