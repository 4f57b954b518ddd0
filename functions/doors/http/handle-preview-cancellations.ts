import type { PreviewAnswer } from '../../contract/answers.ts';
import { previewRequestSchema } from '../../contract/preview-request.ts';
import { FAILURE_REMEMBERED_MS } from '../../core/find-job/list-projects.ts';
import type { Ports } from '../../core/ports.ts';
import { previewCancellations, type PreviewOf } from '../../core/use-cases/preview-cancellations.ts';
import { readBody } from './read-input.ts';
import { type HttpHandler, retryAfter, serve } from './serve.ts';

/**
 * `POST /v1/cancellation-previews`: what a cancel of each externalId would do. It needs the scope of a cancel, because it
 * shows what the answers to a cancel show.
 */
export function handlePreviewCancellations(ports: Ports): HttpHandler {
  return serve('cancellations:write', ports, async (event, caller, reporting) => {
    const body = readBody(event, previewRequestSchema);
    if (body.kind === 'problem') return body;
    const found = await previewCancellations(reporting, caller, body.value.externalIds);
    const previews = found.map(presentPreview);
    const waitMs = Math.max(...found.map(askAgainInMs));
    return { kind: 'success', status: 200, body: { previews }, headers: waitMs > 0 ? retryAfter(waitMs) : {} };
  });
}

/** Milliseconds after which an answer that is missing may be there. 0: none is missing. */
function askAgainInMs(preview: PreviewOf): number {
  return preview.state === 'unresolved' ? (preview.retryAfterMs ?? FAILURE_REMEMBERED_MS) : 0;
}

function presentPreview(preview: PreviewOf): PreviewAnswer {
  return {
    externalId: preview.externalId,
    state: preview.state,
    jobId: 'jobId' in preview ? preview.jobId : null,
    jobStatus: ('jobStatus' in preview ? preview.jobStatus : undefined) ?? null,
    candidates: preview.state === 'ambiguous' ? [...preview.candidates] : [],
  };
}
