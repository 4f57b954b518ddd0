import { ask, follow, NoAnswer } from './access.js';
import { createList, keyOf } from './list-cancellations.js';
import { get, inWords, make, setText } from './make-element.js';
import { jobOf, lineAbout, sendRequest } from './send-request.js';
import { showConnection, titleOf } from './show-connection.js';
import { reveal, showHappening } from './show-happening.js';
import { showScene, showScenes } from './show-scenes.js';

const say = (text) => setText(get('live'), text);
/** Whatever a button begins ends in words: a run that does not answer in the notice, anything else in the status line. */
const reporting = (act) => (event) => {
  event?.preventDefault?.();
  act(event).catch((error) => {
    if (error instanceof NoAnswer) showConnection(error.state);
    say(error instanceof NoAnswer ? titleOf(error.state) : error.message);
  });
};

/** What the run offers: its partners with their credentials, its scenes. */
let facts;
/** The cancellations by their keys. */
const shown = new Map();
/** Whether the next message is the first of its connection: it has everything, each later one what has changed. */
let isFirst = true;
/** What the connection is, once its first message is there. */
let opened;
/**
 * What is shown in the middle, always one thing: nothing, a request that waits, a cancellation with the newest answer
 * about it, or an answer that reached no job.
 */
let view = { kind: 'nothing' };
const answers = new Map();
/** How many requests were sent: of several that are under way, the newest is shown. */
let turns = 0;

const list = createList(
  { body: get('cancellations'), filter: get('filter'), outcome: get('outcome'), empty: get('empty') },
  (key) => {
    view = { kind: 'cancellation', key };
    draw();
    reveal();
  },
);

const draw = () => {
  const answer = view.kind === 'cancellation' ? answers.get(view.key) : view.answer;
  const cancellation = shown.get(view.key);
  showHappening({ kind: view.kind, answer, cancellation }, resolve);
  list.choose(view.key);
};

/** Shows a request from its beginning to its answer. @param partnerId whose cancellation it may reach */
const show = async (request, partnerId, externalId) => {
  const turn = ++turns;
  const sentAt = new Date().toISOString();
  view = { kind: 'waiting' };
  draw();
  reveal();
  try {
    const answer = await sendRequest(request);
    if (turn !== turns) return answer;
    const jobId = jobOf(answer);
    if (jobId !== undefined) {
      view = { kind: 'cancellation', key: keyOf({ partnerId, jobId }) };
      answers.set(view.key, answer);
    } else {
      // The function may still do its work after a gateway that did not wait.
      view = { kind: 'answer', answer, awaits: answer.status >= 500 ? { externalId, sentAt } : undefined };
    }
    say(lineAbout(answer));
    return answer;
  } catch (error) {
    if (turn === turns) view = { kind: 'unanswered' };
    throw error;
  } finally {
    draw();
  }
};

const tokenOf = (partnerId) => facts.partners.find((partner) => partner.partnerId === partnerId)?.token;

/** Sends a cancel with the partner's credential; where the run has other credentials by now, once more with those. */
const cancel = async (partnerId, body, key) => {
  if (facts === undefined) await loadFacts();
  const send = (token) =>
    show(
      {
        method: 'POST',
        path: '/v1/cancellations',
        headers: {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/json',
          ...(key && { 'Idempotency-Key': key }),
        },
        body: JSON.stringify(body),
      },
      partnerId,
      body.externalId,
    );
  const token = tokenOf(partnerId);
  const { status } = await send(token);
  if (status !== 401) return;
  await loadFacts();
  if (tokenOf(partnerId) !== token) await send(tokenOf(partnerId));
  else showConnection('rejected');
};

const form = get('cancel');
const fields = form.elements;
const fill = (partnerId, externalId, jobId = '') => {
  fields.partner.value = partnerId;
  fields.externalId.value = externalId;
  fields.jobId.value = jobId;
};
const cancelForm = () => {
  const { partner, externalId, jobId, reason, key } = fields;
  const body = {
    externalId: externalId.value,
    ...(jobId.value && { jobId: jobId.value }),
    ...(reason.value && { reason: reason.value }),
  };
  return cancel(partner.value, body, key.value);
};
form.addEventListener('submit', reporting(cancelForm));

/** Repeats an ambiguous request with the jobId that was chosen. */
function resolve(jobId) {
  const { headers, body } = view.answer.request;
  const { partnerId } = facts.partners.find(({ token }) => headers.Authorization === `Bearer ${token}`);
  const given = JSON.parse(body);
  fill(partnerId, given.externalId, jobId);
  // The button that was pressed goes with its answer.
  get('happens').focus({ preventScroll: true });
  reporting(() => cancel(partnerId, { ...given, jobId }))();
}

const on = {
  cancel: (externalId) =>
    reporting(async () => {
      fill('acme', externalId);
      await cancel('acme', { externalId });
    })(),
  add: (kind) =>
    reporting(async () => {
      const partnerId = fields.partner.value;
      const { externalId } = await ask('jobs', { partnerId, kind });
      fill(partnerId, externalId);
      if (get('at-once').checked) await cancel(partnerId, { externalId });
      else say(`${externalId} is there: cancel it.`);
    })(),
  meet: (code) =>
    reporting(async () => {
      const { requests } = await ask('scenes', { code });
      try {
        for (const request of requests) {
          await show(request, 'acme', JSON.parse(request.body ?? '{}').externalId);
        }
      } finally {
        await ask('mood', { mood: null });
      }
    })(),
  setMood: (mood) => reporting(() => ask('mood', { mood }))(),
  setEndpoint: (endpoint) =>
    reporting(async () => {
      await ask('endpoint', { endpoint });
      say(endpoint === 'none' ? 'No callbacks are sent.' : 'Cancel a job: its callback comes to this console.');
    })(),
};
get('normal').addEventListener('click', () => on.setMood(null));

const tellChanges = (changed) => {
  const other = changed.filter((one) => {
    const before = shown.get(keyOf(one));
    return (before?.outcome ?? before?.state) !== (one.outcome ?? one.state);
  });
  if (other.length > 3) say(`${other.length} cancellations have changed.`);
  else if (other.length > 0) {
    say(other.map(({ externalId, outcome, state }) => `${externalId}: ${inWords(outcome ?? state)}`).join(', '));
  }
};

const countAll = (stopped) => {
  const all = [...shown.values()];
  get('cancelled').textContent = all.filter(({ outcome }) => outcome === 'cancelled').length;
  get('open').textContent = all.filter(({ state }) => state === 'open').length;
  get('pages').textContent = stopped.pages.toLocaleString();
  get('credits').textContent = stopped.credits.toLocaleString();
};

const onMessage = ({ mood, endpoint, stopped, changed, gone }) => {
  if (isFirst) {
    say('');
    showConnection(opened);
  } else tellChanges(changed);
  const kept = new Set(changed.map(keyOf));
  const lost = isFirst ? [...shown.keys()].filter((key) => !kept.has(key)) : gone.map(keyOf);
  isFirst = false;
  for (const one of changed) shown.set(keyOf(one), one);
  for (const key of lost) shown.delete(key);
  list.show(changed, lost);
  const { externalId, sentAt } = view.awaits ?? {};
  const awaited = changed.find((one) => one.externalId === externalId && one.requestedAt >= sentAt);
  const newest = awaited ?? (view.kind === 'nothing' ? changed[0] : undefined);
  if (newest !== undefined) view = { kind: 'cancellation', key: keyOf(newest) };
  countAll(stopped);
  showScene({ mood, endpoint });
  draw();
};

const loadFacts = async () => {
  const before = facts;
  facts = await ask('facts');
  if (JSON.stringify(facts) === JSON.stringify(before)) return false;
  const partner = fields.partner.value;
  fields.partner.replaceChildren(
    ...facts.partners.map(({ partnerId }) => make('option', { value: partnerId }, partnerId)),
  );
  if (partner !== '') fields.partner.value = partner;
  showScenes(facts, on);
  return before !== undefined && tokenOf('acme') !== before.partners[0]?.token;
};

/** Each time that the stream is open: the run that answers may be another one, with other credentials and cancellations. */
const onOpen = async () => {
  opened = (await loadFacts()) ? 'restarted' : 'watching';
  isFirst = true;
  if (opened === 'watching') return;
  view = { kind: 'nothing' };
  answers.clear();
};

showConnection('connecting');
draw();
follow('watch', { onOpen, onMessage, onLost: showConnection }).catch((error) =>
  say(`This page has failed: ${error.message}`),
);
