import * as z from 'zod/mini';
import { readConfiguration, variables } from './adapters/configuration.ts';
import { createPorts } from './compose.ts';
import { handleEvents } from './doors/eventbridge/handle-events.ts';

const { EVENTS_MAX_RECEIVES } = readConfiguration(z.pick(variables, { EVENTS_MAX_RECEIVES: true }));

export const handler = handleEvents(createPorts(), EVENTS_MAX_RECEIVES);
