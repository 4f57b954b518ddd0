import { get, make } from './make-element.js';

/** What there is to choose: each is one button that says what will happen. */

const toneOf = (status) => (status < 300 ? 'good' : status < 500 ? 'warn' : 'bad');
const choice = (title, what, status, onChoose) =>
  make(
    'button.choice',
    { type: 'button', onclick: onChoose },
    make('b', {}, title),
    status === null ? undefined : make(`span.badge.${toneOf(status)}`, {}, String(status)),
    make('span.soft', {}, what),
  );
const fill = (id, choices) => {
  get(id).replaceChildren(...choices.map((made) => make('li', {}, made)));
  get(id).closest('details').hidden = choices.length === 0;
};

const moodButtons = new Map();

/**
 * @param facts what the run offers
 * @param on what the buttons do: `cancel(externalId)`, `add(kind)`, `meet(code)`, `setMood(id)`
 */
export const showScenes = ({ stories, jobKinds, problems, moods }, on) => {
  fill(
    'stories',
    stories.map(({ externalId, what, status }) => choice(externalId, what, status, () => on.cancel(externalId))),
  );
  fill(
    'kinds',
    jobKinds.map(({ id, title }) => choice(`Plangrep ${title}`, '', null, () => on.add(id))),
  );
  fill(
    'problems',
    problems.map(({ code, how, status }) => choice(code, how, status, () => on.meet(code))),
  );
  moodButtons.clear();
  for (const { id, title, what } of moods) {
    const made = choice(title, what, null, () => on.setMood(id));
    made.setAttribute('aria-pressed', 'false');
    moodButtons.set(id, { made, title });
  }
  fill(
    'moods',
    [...moodButtons.values()].map(({ made }) => made),
  );
};

/** A fault is shown until it ends, whatever else is open. @param mood its id; null: none */
export const showMood = (mood) => {
  for (const [id, { made }] of moodButtons) made.setAttribute('aria-pressed', String(id === mood));
  const known = moodButtons.get(mood);
  get('fault').hidden = known === undefined;
  if (known !== undefined) get('mood-now').textContent = known.title;
};
