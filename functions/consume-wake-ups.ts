import { composeAttempts } from './compose/compose-serving.ts';
import { connectFirst } from './connect-first.ts';
import { handleWakeUps } from './doors/wake-ups/handle-wake-ups.ts';

export const handler = connectFirst(handleWakeUps(composeAttempts()));
