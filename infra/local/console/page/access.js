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

export const refused = `This page has no key, or the key of an earlier run. Open the whole address that "npm start" printed:
it is consoleUrl in .local/credentials.json too.`;

export const lost = `The local run does not answer: it was stopped, or is not on this port. Start it with "npm start", and
this page continues by itself, or asks for the new address.`;

/** The run does not answer. As text it is its message: what a person should read. */
export class NoAnswer extends Error {
  toString() {
    return this.message;
  }
}

/** How long the run may be silent. It sends something every 5 s; a process that is suspended keeps its connections. */
const SILENT_MS = 15_000;

/** A call of the console's API. Throws `NoAnswer`. */
export const ask = async (path, options = {}) => {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENT_MS);
  try {
    return await fetch(`/console/api/${path}`, {
      ...options,
      headers: { Authorization: `Bearer ${localStorage.getItem(storedAs)}` },
      signal: silence.signal,
    });
  } catch (cause) {
    throw new NoAnswer(lost, { cause });
  } finally {
    clearTimeout(timer);
  }
};

/** Hands on each message of a stream (a line of JSON), until the stream ends or is silent. */
const readLines = async (response, onMessage) => {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const timer = setTimeout(() => void reader.cancel(), SILENT_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) if (line !== '') onMessage(JSON.parse(line));
  }
};

/** Resolves when another tab has kept the key of another run. (In this tab, another address loads the page again.) */
const otherKey = () =>
  new Promise((resolve) => {
    const onChange = ({ key }) => {
      if (key !== storedAs) return;
      removeEventListener('storage', onChange);
      resolve();
    };
    addEventListener('storage', onChange);
  });

/** Follows a stream of the console's API for as long as the page is open: a lost connection is opened again. */
export const follow = async (path, { onOpen, onMessage, onLost, onRefused }) => {
  for (;;) {
    try {
      const response = await ask(path);
      if (response.status === 401) {
        onRefused();
        await otherKey();
        continue;
      }
      if (!response.ok) throw new NoAnswer(lost); // Another program has the port.
      await onOpen();
      await readLines(response, onMessage);
    } catch (error) {
      // A connection that breaks while it is read is a TypeError; anything else is a bug of the page.
      if (!(error instanceof TypeError || error instanceof NoAnswer)) throw error;
    }
    onLost();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
};
