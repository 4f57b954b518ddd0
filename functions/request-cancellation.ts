import { composeCancelling } from './compose.ts';
import { handleRequestCancellation } from './doors/http/handle-request-cancellation.ts';

export const handler = handleRequestCancellation(composeCancelling());
