import { composeCancelling, prepareReading } from './compose/compose-serving.ts';
import { connectFirst } from './connect-first.ts';
import { previewPath } from './contract/routes.ts';
import { handlePreviewCancellations } from './doors/http/handle-preview-cancellations.ts';
import { handleRequestCancellation } from './doors/http/handle-request-cancellation.ts';

// One function for both, because a preview finds jobs as a cancel does, and may do nothing that a cancel may not.
const ports = composeCancelling();
const [cancel, preview] = [handleRequestCancellation(ports), handlePreviewCancellations(ports)];
export const handler = connectFirst<Parameters<typeof cancel>[0], ReturnType<typeof cancel>>((event, context) =>
  event.resource === previewPath ? preview(event, context) : cancel(event, context),
);
export const prepared = prepareReading(ports);
