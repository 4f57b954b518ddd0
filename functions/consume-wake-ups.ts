import { composeAttempts } from './compose.ts';
import { handleWakeUps } from './doors/wake-ups/handle-wake-ups.ts';

export const handler = handleWakeUps(composeAttempts());
