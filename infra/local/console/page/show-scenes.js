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

/** Those of which one is in effect: by the id of its list, the buttons by what they set. */
const switches = { moods: new Map(), endpoints: new Map() };
const fillSwitch = (id, offered, onChoose) => {
  switches[id].clear();
  for (const { id: value, title, what } of offered) {
    const made = choice(title, what, null, () => onChoose(value));
    made.setAttribute('aria-pressed', 'false');
    switches[id].set(value, { made, title });
  }
  fill(
    id,
    [...switches[id].values()].map(({ made }) => made),
  );
};
const press = (id, chosen) => {
  for (const [value, { made }] of switches[id]) made.setAttribute('aria-pressed', String(value === chosen));
};

/**
 * @param facts what the run offers
 * @param on what the buttons do: `cancel(externalId)`, `add(kind)`, `meet(code)`, `setMood(id)`, `setEndpoint(id)`
 */
export const showScenes = ({ stories, jobKinds, problems, moods, endpoints }, on) => {
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
  fillSwitch('moods', moods, on.setMood);
  fillSwitch('endpoints', endpoints, on.setEndpoint);
};

/**
 * Shows what is in effect. A fault is shown until it ends, whatever else is open.
 * @param scene the ids of its `mood` and its `endpoint`; null: none
 */
export const showScene = ({ mood, endpoint }) => {
  press('moods', mood);
  press('endpoints', endpoint);
  const known = switches.moods.get(mood);
  get('fault').hidden = known === undefined;
  if (known !== undefined) get('mood-now').textContent = known.title;
};
