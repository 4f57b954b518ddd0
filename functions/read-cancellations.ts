import { composeReading } from './compose/compose-serving.ts';
import { handleReadCancellations } from './doors/http/handle-read-cancellations.ts';

export const handler = handleReadCancellations(composeReading());
