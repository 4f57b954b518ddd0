import { requireProof, send } from './access.js';

/** More than a gateway waits. */
const GATEWAY_MS = 40_000;

/**
 * Sends a request as a caller would.
 * @returns the answer as the caller gets it. Its `body` is undefined when it is not JSON.
 * @throws NoAnswer
 */
export const sendRequest = async ({ method, path, headers, body }) => {
  await requireProof();
  const from = performance.now();
  const { response, text } = await send(path, { method, headers, ...(method !== 'GET' && { body }) }, GATEWAY_MS);
  return {
    request: { method, path, headers, body },
    status: response.status,
    statusText: response.statusText,
    headers: [...response.headers],
    text,
    body: parse(text),
    tookMs: Math.round(performance.now() - from),
  };
};

const parse = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The job whose cancellation the answer is about; undefined where the request reached none. */
export const jobOf = ({ body }) => body?.cancellation?.jobId ?? (body?.state && body.jobId);

/** One line about an answer. */
export const lineAbout = ({ status, body }) => {
  const word = body?.code ?? body?.outcome ?? body?.state;
  return `Answered ${status}${word ? `: ${word}` : ''}.`;
};
