import { ask, follow, refused } from './access.js';
import { createList, drawTimeline, sendRequest } from './views.js';

const get = (id) => document.getElementById(id);
const say = (text) => {
  get('live').textContent = text;
};
const post = async (path, body) => {
  const response = await ask(path, { method: 'POST', body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
};
/** Shows an error in the status line. */
const reporting = (act) => (event) => {
  event?.preventDefault?.();
  act(event).catch((error) => say(String(error)));
};

const option = (value, text) => new Option(text, value);
const button = (text, onClick) => {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.addEventListener('click', reporting(onClick));
  return made;
};

const readFacts = async () => {
  const response = await ask('facts');
  if (response.status !== 401) return response.json();
  say(refused);
  // Without a key there is nothing to show: the page waits until another address is opened.
  return new Promise(() => {});
};

const facts = await readFacts();
const titles = new Map(facts.moods.map(({ id, title, what }) => [id, { title, what }]));
const moodButtons = new Map();
let chosen;
/** Undefined until the first message. */
let shown;
/** The job of the newest request: its cancellation is chosen as soon as it is there. */
let awaited;

const list = createList(get('cancellations'), (key) => {
  chosen = key;
  awaited = undefined;
  draw();
});

const draw = () => {
  if (shown === undefined) return;
  list.show(shown, chosen);
  const cancellation = shown.find((candidate) => list.keyOf(candidate) === chosen);
  if (cancellation !== undefined) drawTimeline(get('timeline'), cancellation);
};

const showMood = (mood) => {
  for (const [id, made] of moodButtons) made.setAttribute('aria-pressed', String(id === mood));
  const known = titles.get(mood);
  get('mood-now').textContent = known === undefined ? 'Everything is normal.' : `${known.title}. ${known.what}`;
};

const tellChanges = (cancellations) => {
  const before = new Map(shown.map((one) => [list.keyOf(one), one.outcome ?? one.state]));
  const changed = cancellations.filter((one) => before.get(list.keyOf(one)) !== (one.outcome ?? one.state));
  if (changed.length === 0) return;
  say(
    changed
      .map(({ externalId, outcome, state }) => `${externalId}: ${(outcome ?? state).replaceAll('_', ' ')}`)
      .join(', '),
  );
};

const showRun = ({ mood, stopped, cancellations }) => {
  if (shown !== undefined) tellChanges(cancellations);
  shown = cancellations;
  const fresh =
    cancellations.find(({ externalId }) => externalId === awaited) ?? (chosen ? undefined : cancellations[0]);
  if (fresh !== undefined) chosen = list.keyOf(fresh);
  get('cancelled').textContent = cancellations.filter(({ outcome }) => outcome === 'cancelled').length;
  get('open').textContent = cancellations.filter(({ state }) => state === 'open').length;
  get('pages').textContent = stopped.pages.toLocaleString();
  get('credits').textContent = stopped.credits.toLocaleString();
  showMood(mood);
  draw();
};
follow('watch', {
  onOpen: () => say('Watching.'),
  onMessage: showRun,
  onLost: () => say('The local run does not answer; trying again …'),
  onRefused: () => say(refused),
}).catch((error) => say(String(error)));

const cancel = get('cancel');
cancel.elements.partner.append(...facts.partners.map(({ partnerId, token }) => option(token, partnerId)));
get('known').append(...facts.stories.map(({ externalId, story }) => option(externalId, story)));
cancel.addEventListener(
  'submit',
  reporting(async () => {
    const { partner, externalId, jobId, reason, key } = cancel.elements;
    awaited = externalId.value;
    const body = {
      externalId: externalId.value,
      ...(jobId.value && { jobId: jobId.value }),
      ...(reason.value && { reason: reason.value }),
    };
    const headers = {
      Authorization: `Bearer ${partner.value}`,
      'Content-Type': 'application/json',
      ...(key.value && { 'Idempotency-Key': key.value }),
    };
    say(
      await sendRequest(get('answer'), {
        method: 'POST',
        path: '/v1/cancellations',
        headers,
        body: JSON.stringify(body),
      }),
    );
    draw();
  }),
);

const fresh = get('fresh');
fresh.hidden = facts.jobKinds.length === 0;
fresh.elements.kind.append(...facts.jobKinds.map(({ id, title }) => option(id, title)));
fresh.addEventListener(
  'submit',
  reporting(async () => {
    const partnerId = cancel.elements.partner.selectedOptions[0].textContent;
    const { externalId } = await post('jobs', { partnerId, kind: fresh.elements.kind.value });
    cancel.elements.externalId.value = externalId;
    cancel.elements.jobId.value = '';
    say(`${externalId} is there: cancel it.`);
  }),
);

for (const { id, title, what } of facts.moods) {
  const made = button(title, async () => {
    await post('mood', { mood: id });
    say(`${title}. ${what}`);
  });
  made.title = what;
  made.setAttribute('aria-pressed', 'false');
  moodButtons.set(id, made);
  get('moods').append(made);
}
const backToNormal = async () => {
  await post('mood', { mood: null });
};
get('normal').addEventListener(
  'click',
  reporting(async () => {
    await backToNormal();
    say('Everything is normal.');
  }),
);

const meet = async (code) => {
  const { requests } = await post('scenes', { code });
  let line = '';
  try {
    for (const request of requests) {
      const { externalId } = JSON.parse(request.body ?? '{}');
      awaited = externalId ?? awaited;
      line = await sendRequest(get('answer'), request);
    }
  } finally {
    await backToNormal();
  }
  say(line);
};
get('meet').hidden = facts.problems.length === 0;
get('problems').append(
  ...facts.problems.map(({ code, how }) => {
    const made = button(code, () => meet(code));
    const words = document.createElement('span');
    words.textContent = how;
    made.append(words);
    const row = document.createElement('li');
    row.append(made);
    return row;
  }),
);
