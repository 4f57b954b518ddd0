import { composeCancelling } from './compose.ts';
import { connectFirst } from './connect-first.ts';
import { handleRequestCancellation } from './doors/http/handle-request-cancellation.ts';

export const handler = connectFirst(handleRequestCancellation(composeCancelling()));
