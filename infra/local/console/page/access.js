/** How the page reaches the run: with the key at the end of the address that `npm start` prints. */

const storedAs = 'console-key';

/** Keeps the key of the address for this origin, and takes it out of the address and the history. */
const keepKey = () => {
  const given = location.hash.slice(1);
  if (given === '') return false;
  localStorage.setItem(storedAs, given);
  history.replaceState(null, '', location.pathname);
  return true;
};

keepKey();
// The address was pasted into a tab that had the console open.
addEventListener('hashchange', () => keepKey() && location.reload());

/** The run does not answer as it should. `state` says why: `gone`, `refused` or `other`. */
export class NoAnswer extends Error {
  constructor(state, cause) {
    super(state, { cause });
    this.state = state;
  }
}

/** How long the run may be silent. It sends something every 5 s; a process that is suspended keeps its connections. */
const SILENT_MS = 15_000;

/**
 * Everything that the page sends goes through here, so that a failed connection has one meaning.
 * @returns the answer and its text
 */
export const send = async (path, options = {}, waitsMs = SILENT_MS) => {
  try {
    const signal = AbortSignal.timeout(waitsMs);
    const response = await fetch(path, { ...options, credentials: 'omit', cache: 'no-store', signal });
    return { response, text: await response.text() };
  } catch (cause) {
    throw new NoAnswer('gone', cause);
  }
};

const encode = (bytes) => new TextEncoder().encode(bytes);
const toBase64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/**
 * Checks that the run with this key listens, before the key is sent: another program may have taken the port.
 * @throws NoAnswer
 */
const checkProof = async (key) => {
  const nonce = toBase64url(crypto.getRandomValues(new Uint8Array(16)));
  const { response, text } = await send(`/console/api/proof?nonce=${nonce}`);
  if (!response.ok) throw new NoAnswer('other');
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', encode(key), algorithm, false, ['sign']);
  const proof = await crypto.subtle.sign('HMAC', imported, encode(`${location.host} ${nonce}`));
  if (toBase64url(proof) !== text) throw new NoAnswer('refused');
};

/** The key that the run has proved to have. Forgotten with the connection: the next one may be to another program. */
let proved;

/** Before anything secret is sent, a partner's credential too. @returns the key @throws NoAnswer */
export const requireProof = async () => {
  const key = localStorage.getItem(storedAs);
  if (key === null) throw new NoAnswer('refused');
  if (proved !== key) await checkProof(key);
  proved = key;
  return key;
};

/** The headers of a call of the console's API. @throws NoAnswer */
const withKey = async () => ({ headers: { Authorization: `Bearer ${await requireProof()}` } });

/** A call of the console's API. @throws NoAnswer, or an Error with what the run says is wrong */
export const ask = async (path, body) => {
  const options = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const { response, text } = await send(`/console/api/${path}`, { ...options, ...(await withKey()) });
  if (response.status === 401) throw new NoAnswer('refused');
  const answer = parse(text);
  if (!response.ok) throw new Error(answer.message);
  return answer;
};

const parse = (text) => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NoAnswer('other', cause);
  }
};

/** Hands on each message of a stream (a line of JSON), until the stream ends or is silent. */
const readLines = async (body, onMessage) => {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const timer = setTimeout(() => void reader.cancel(), SILENT_MS);
    const read = reader.read().catch((cause) => {
      throw new NoAnswer('gone', cause);
    });
    const { done, value } = await read.finally(() => clearTimeout(timer));
    if (done) throw new NoAnswer('gone');
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line !== '') onMessage(parse(line));
  }
};

/** Opens a stream of the console's API. @throws NoAnswer */
const openStream = async (path) => {
  const options = await withKey();
  const opening = new AbortController();
  const timer = setTimeout(() => opening.abort(), SILENT_MS);
  const response = await fetch(`/console/api/${path}`, { ...options, signal: opening.signal })
    .catch((cause) => {
      throw new NoAnswer('gone', cause);
    })
    .finally(() => clearTimeout(timer));
  if (!response.ok) throw new NoAnswer(response.status === 401 ? 'refused' : 'other');
  return response.body;
};

let wake = () => {};
/** Tries again at once, where the page waits to try again. */
export const tryNow = () => wake();
// Another tab has got the key of another run.
addEventListener('storage', ({ key }) => key === storedAs && tryNow());

/**
 * Follows a stream of the console's API for as long as the page is open: a lost connection is opened again.
 * @param onLost called with why: `gone`, `refused` or `other`
 */
export const follow = async (path, { onOpen, onMessage, onLost }) => {
  for (;;) {
    try {
      const body = await openStream(path);
      await onOpen();
      await readLines(body, onMessage);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error; // A bug of the page.
      proved = undefined;
      onLost(error.state);
    }
    await new Promise((resolve) => {
      wake = resolve;
      setTimeout(resolve, 1000);
    });
  }
};
