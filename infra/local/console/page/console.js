import { ask, follow, lost, refused } from './access.js';
import { createList, drawTimeline, sendRequest } from './views.js';

const get = (id) => document.getElementById(id);
/** A text that is there already is not announced again. */
const say = (text) => {
  if (get('live').textContent !== text) get('live').textContent = text;
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

/** What the page offers: that of the run that it watches. */
let facts;
let titles;
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

const cancel = get('cancel');
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

const moodButton = ({ id, title, what }) => {
  const made = button(title, async () => {
    await post('mood', { mood: id });
    say(`${title}. ${what}`);
  });
  made.title = what;
  made.setAttribute('aria-pressed', 'false');
  moodButtons.set(id, made);
  return made;
};
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
const problemRow = ({ code, how }) => {
  const made = button(code, () => meet(code));
  const words = document.createElement('span');
  words.textContent = how;
  made.append(words);
  const row = document.createElement('li');
  row.append(made);
  return row;
};

const showFacts = () => {
  const chosenPartner = cancel.elements.partner.selectedIndex;
  titles = new Map(facts.moods.map(({ id, title, what }) => [id, { title, what }]));
  cancel.elements.partner.replaceChildren(...facts.partners.map(({ partnerId, token }) => option(token, partnerId)));
  if (chosenPartner > 0) cancel.elements.partner.selectedIndex = chosenPartner;
  get('known').replaceChildren(...facts.stories.map(({ externalId, story }) => option(externalId, story)));
  fresh.hidden = facts.jobKinds.length === 0;
  fresh.elements.kind.replaceChildren(...facts.jobKinds.map(({ id, title }) => option(id, title)));
  moodButtons.clear();
  get('moods').replaceChildren(...facts.moods.map(moodButton));
  get('meet').hidden = facts.problems.length === 0;
  get('problems').replaceChildren(...facts.problems.map(problemRow));
};

/** Each time that the stream is open: the run that answers may be another one, which has other credentials. */
const onOpen = async () => {
  const before = facts;
  const response = await ask('facts');
  facts = await response.json();
  if (JSON.stringify(facts) !== JSON.stringify(before)) {
    shown = undefined;
    showFacts();
  }
  const isOther = before !== undefined && before.partners[0]?.token !== facts.partners[0]?.token;
  say(isOther ? 'The local run was started again. Watching the new one.' : 'Watching.');
};

follow('watch', {
  onOpen,
  onMessage: showRun,
  onLost: () => say(lost),
  onRefused: () => say(refused),
}).catch((error) => say(String(error)));
