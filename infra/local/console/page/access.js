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

/** A call of the console's API. */
export const ask = (path, options = {}) =>
  fetch(`/console/api/${path}`, {
    ...options,
    headers: { Authorization: `Bearer ${localStorage.getItem(storedAs)}` },
  });

/** Hands on each message of a stream (a line of JSON), until the stream ends. */
const readLines = async (response, onMessage) => {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) onMessage(JSON.parse(line));
  }
};

/** Follows a stream of the console's API for as long as the page is open: a lost connection is opened again. */
export const follow = async (path, { onOpen, onMessage, onLost, onRefused }) => {
  for (;;) {
    try {
      const response = await ask(path);
      if (response.status === 401) return onRefused();
      onOpen();
      await readLines(response, onMessage);
    } catch (error) {
      // A connection that breaks is a TypeError; anything else is a bug of the page.
      if (!(error instanceof TypeError)) throw error;
    }
    onLost();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
};
