import { createPorts } from './adapters/create-ports.ts';
import { handleRequestCancellation } from './http/handle-request-cancellation.ts';

export const handler = handleRequestCancellation(createPorts());
