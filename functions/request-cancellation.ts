import { composeCancelling, prepareReading } from './compose.ts';
import { connectFirst } from './connect-first.ts';
import { handleRequestCancellation } from './doors/http/handle-request-cancellation.ts';

const ports = composeCancelling();
export const handler = connectFirst(handleRequestCancellation(ports));
export const prepared = prepareReading(ports);
