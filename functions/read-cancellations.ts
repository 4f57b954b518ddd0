import { composeReading } from './compose.ts';
import { handleReadCancellations } from './doors/http/handle-read-cancellations.ts';

export const handler = handleReadCancellations(composeReading());
