import { tryNow } from './access.js';
import { get, make, setText } from './make-element.js';

/** Whether the page reaches the run: a word beside the title, and a notice for as long as there is something to do. */

const npmStart = () => make('code', {}, 'npm start');
const states = {
  connecting: { word: 'Connecting …', tone: 'warn' },
  watching: { word: 'Watching', tone: 'good' },
  restarted: {
    word: 'Watching',
    tone: 'good',
    title: 'The local run was started again.',
    text: () => ['This page has its new credentials. A run without DATA_DIR begins with no cancellations.'],
  },
  rejected: {
    word: 'Watching',
    tone: 'warn',
    title: "The run rejects this partner's credential.",
    text: () => ['It was revoked, or has expired. Start the run again with ', npmStart(), ': it makes new ones.'],
  },
  gone: {
    word: 'No connection',
    tone: 'bad',
    title: 'The local run does not answer.',
    text: () => ['It was stopped, or it is suspended. Start it with ', npmStart(), ': this page continues by itself.'],
  },
  refused: {
    word: 'No access',
    tone: 'bad',
    title: 'This page has no key of the run.',
    text: () => [
      'Open the whole address that ',
      npmStart(),
      ' printed: it is consoleUrl in .local/credentials.json too. Any tab will do; this one then continues.',
    ],
  },
  other: {
    word: 'No connection',
    tone: 'bad',
    title: 'Another program answers at this address.',
    text: () => [
      'Start the run on another port, ',
      make('code', {}, 'PORT=8788 npm start'),
      ', and open the address that it prints.',
    ],
  },
};

let current;

/** @param state one of the above */
export const showConnection = (state) => {
  if (state === current) return;
  current = state;
  const { word, tone, title, text } = states[state];
  setText(get('connection'), word);
  get('connection').className = `badge ${tone}`;
  const action =
    tone === 'bad'
      ? make('button.slim', { type: 'button', onclick: tryNow }, 'Try again now')
      : make('button.slim', { type: 'button', onclick: () => showConnection('watching') }, 'Close');
  const notice = title && make(`div.notice.${tone}`, {}, make('p', {}, make('b', {}, title), ' ', ...text()), action);
  get('notice').replaceChildren(...(notice ? [notice] : []));
};

/** What a person reads about a request that was not answered: the notice says the rest. */
export const titleOf = (state) => states[state].title;
