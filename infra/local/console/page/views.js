import { lost } from './access.js';

/** What the page shows: the list of cancellations, one timeline, one answer. Every text is set as text, never as HTML. */

const outcomeTones = { cancelled: 'good', too_late: 'warn', job_not_found: 'bad', open: 'warn' };
const keyOf = ({ partnerId, jobId }) => `${partnerId}#${jobId}`;

const pagesOf = ({ pageCount, successfulPageCount }) =>
  pageCount === null || successfulPageCount === null ? 'not known' : `${successfulPageCount} of ${pageCount}`;

const createRow = (choose) => {
  const row = document.createElement('tr');
  const cells = Array.from({ length: 5 }, () => document.createElement('td'));
  const button = document.createElement('button');
  button.type = 'button';
  button.addEventListener('click', choose);
  cells[0].append(button);
  const badge = document.createElement('span');
  cells[2].append(badge);
  row.append(...cells);
  return { row, cells, button, badge };
};

/**
 * The table of cancellations. Rows are kept, so that the focus stays where it is while others come in.
 * @param onChoose called with the key of the chosen row
 */
export const createList = (body, onChoose) => {
  const rows = new Map();
  return {
    keyOf,
    show(cancellations, chosen) {
      for (const [position, cancellation] of cancellations.entries()) {
        const key = keyOf(cancellation);
        const made = rows.get(key) ?? createRow(() => onChoose(key));
        rows.set(key, made);
        const outcome = cancellation.outcome ?? 'open';
        made.button.textContent = cancellation.externalId;
        made.button.setAttribute('aria-pressed', String(key === chosen));
        made.cells[1].textContent = cancellation.partnerId;
        made.badge.textContent = outcome.replaceAll('_', ' ');
        made.badge.className = `badge ${outcomeTones[outcome]}`;
        made.cells[3].textContent = pagesOf(cancellation);
        made.cells[4].textContent = new Date(cancellation.requestedAt).toLocaleTimeString();
        if (body.children[position] !== made.row) body.insertBefore(made.row, body.children[position] ?? null);
      }
      while (body.children.length > cancellations.length) body.lastElementChild.remove();
    },
  };
};

const seconds = (ms) => (ms < 10_000 ? `+${(ms / 1000).toFixed(3)} s` : `+${(ms / 1000).toFixed(1)} s`);

const eventTitles = {
  requested: 'Requested: recorded before any effect',
  attempt_started: 'Attempt started',
  attempt_ended: 'Attempt ended',
  observed: 'Job read: something has changed',
  escalated: 'Escalated: the operators are notified',
  closed: 'Closed',
  joined: 'Another request joined',
};

const resultTitles = {
  accepted: 'Plangrep accepted the cancel; the job continues until it takes effect',
  refused: 'Plangrep rejected the cancel',
  rate_limited: 'Plangrep asked to slow down',
  key_refused: "Plangrep rejected this service's key",
  not_sent: 'nothing was sent',
  not_found: 'Plangrep does not know the job',
  unknown: 'it is not known whether Plangrep cancelled',
};

const toneOfEvent = ({ type, outcome, result }) => {
  if (type === 'closed') return outcome === 'cancelled' ? 'good' : 'warn';
  if (type === 'attempt_ended') return result === 'accepted' ? 'warn' : 'bad';
  return type === 'escalated' ? 'bad' : '';
};

const describe = (event) => {
  const { type, attempt, result, why, httpStatus, outcome, jobStatus, reason } = event;
  const details = [
    type === 'attempt_ended' || type === 'attempt_started' ? `attempt ${attempt}` : undefined,
    resultTitles[result],
    why?.replaceAll('_', ' '),
    httpStatus === undefined ? undefined : `HTTP ${httpStatus}`,
    outcome === undefined ? undefined : `outcome: ${outcome}`,
    jobStatus === undefined ? undefined : `job: ${jobStatus}`,
    reason === undefined ? undefined : `reason: “${reason}”`,
  ];
  return details.filter((detail) => detail !== undefined).join(' · ');
};

const describeFigures = ({ ranMs, spentMs, creditsDebitedMeanwhile }) => {
  const lasted = (ms) => `${(ms / 1000).toFixed(1)} s`;
  const details = [
    ranMs === null ? undefined : `the job ran ${lasted(ranMs)}`,
    `us ${lasted(spentMs.us)}, Plangrep ${lasted(spentMs.plangrep)}, a person ${lasted(spentMs.person)}`,
    creditsDebitedMeanwhile === null ? undefined : `${creditsDebitedMeanwhile} credits debited meanwhile`,
  ];
  return details.filter((detail) => detail !== undefined).join(' · ');
};

const item = (className, after, title, details) => {
  const made = document.createElement('li');
  made.className = className;
  const when = document.createElement('span');
  when.className = 'after';
  when.textContent = after;
  const what = document.createElement('span');
  what.className = 'what';
  const strong = document.createElement('b');
  strong.textContent = title;
  what.append(strong, details);
  made.append(when, what);
  return made;
};

/**
 * Draws one cancellation, event by event, each with the time since the first.
 * @param cancellation as the API reads it, with `wakeAt`
 */
export const drawTimeline = (place, cancellation) => {
  const { timeline, wakeAt, jobId } = cancellation;
  const first = Date.parse(timeline[0].at);
  const list = document.createElement('ol');
  list.className = 'events';
  for (const event of timeline) {
    const closing = event.type === 'closed' ? ' closing' : '';
    const after = event === timeline[0] ? '0 s' : seconds(Date.parse(event.at) - first);
    list.append(item(`${toneOfEvent(event)}${closing}`, after, eventTitles[event.type], describe(event)));
  }
  if (wakeAt !== null && cancellation.state === 'open') {
    const when = new Date(wakeAt).toLocaleTimeString();
    list.append(
      item('next', seconds(Date.parse(wakeAt) - first), 'Next look', `not before ${when}, by the reconciler`),
    );
  }
  if (cancellation.spentMs !== null) list.append(item('', '', 'What it took', describeFigures(cancellation)));
  const names = document.createElement('p');
  names.className = 'small lead';
  names.textContent = `${cancellation.externalId} · ${jobId}`;
  place.replaceChildren(names, list);
};

const element = (name, text, className) => {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== undefined) made.className = className;
  return made;
};

const pretty = (text) => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

const toneOfStatus = (status) =>
  status < 300 && status !== 202 ? 'good' : status < 300 || status === 409 ? 'warn' : 'bad';

const showAnswer = (place, { method, path, status, statusText, headers, text, took }) => {
  const nodes = [
    element('p', `${method} ${path}`),
    element('p', `${status} ${statusText}, after ${took} ms`, `badge ${toneOfStatus(status)}`),
    element('pre', pretty(text)),
  ];
  const problem = headers.find(([name, value]) => name === 'content-type' && value.includes('problem+json'));
  if (problem !== undefined) {
    const { type } = JSON.parse(text);
    const link = element('a', 'What it means and what to do');
    link.href = type;
    const line = element('p', '');
    line.append(link);
    nodes.push(line);
  }
  nodes.push(element('pre', headers.map(([name, value]) => `${name}: ${value}`).join('\n')));
  nodes[2].tabIndex = 0;
  nodes[2].setAttribute('aria-label', 'Body');
  nodes[2].setAttribute('role', 'region');
  const last = nodes.at(-1);
  last.tabIndex = 0;
  last.setAttribute('aria-label', 'Headers');
  last.setAttribute('role', 'region');
  place.replaceChildren(...nodes);
};

/**
 * Sends a request as a caller would, and shows the answer as the caller gets it.
 * @param place where to show the answer
 * @returns one line about it
 */
export const sendRequest = async (place, { method, path, headers, body }) => {
  place.replaceChildren(element('p', `${method} ${path} …`, 'lead'));
  const from = performance.now();
  try {
    const response = await fetch(path, {
      ...(method !== 'GET' && { body }),
      method,
      headers,
      credentials: 'omit',
      signal: AbortSignal.timeout(40_000), // More than a gateway waits.
      cache: 'no-store',
    });
    const text = await response.text();
    const { status, statusText } = response;
    const took = Math.round(performance.now() - from);
    showAnswer(place, { method, path, status, statusText, headers: [...response.headers], text, took });
    const { code, outcome, state } = JSON.parse(text);
    return `Answered ${status}${(code ?? outcome ?? state) ? `: ${code ?? outcome ?? state}` : ''}.`;
  } catch (error) {
    // A connection that fails is a TypeError.
    const why = error instanceof TypeError || error.name === 'TimeoutError' ? lost : String(error);
    place.replaceChildren(element('p', `No answer. ${why}`, 'bad'));
    return `No answer. ${why}`;
  }
};
