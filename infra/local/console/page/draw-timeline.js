/** Draws one cancellation, event by event, each with the time since the first. */

const seconds = (ms) => (ms < 10_000 ? `+${(ms / 1000).toFixed(3)} s` : `+${(ms / 1000).toFixed(1)} s`);

const titles = {
  requested: 'Requested, on record before anything is done',
  attempt_started: 'Attempt begins',
  attempt_ended: 'Attempt ended',
  escalated: 'Escalated: people are told',
  closed: 'Closed',
  joined: 'Another request joined',
};

const results = {
  accepted: 'Plangrep took the cancel; the job goes on until it takes effect',
  refused: 'Plangrep refused',
  rate_limited: 'Plangrep asked to slow down',
  key_refused: "Plangrep refused this service's key",
  not_sent: 'nothing was sent',
  unknown: 'nobody knows whether Plangrep cancelled',
};

const toneOf = ({ type, outcome, result }) => {
  if (type === 'closed') return outcome === 'cancelled' ? 'good' : 'warn';
  if (type === 'attempt_ended') return result === 'accepted' ? 'warn' : 'bad';
  return type === 'escalated' ? 'bad' : '';
};

const describe = (event) => {
  const { type, attempt, result, why, httpStatus, outcome, jobStatus, reason } = event;
  const details = [
    type === 'attempt_ended' || type === 'attempt_started' ? `attempt ${attempt}` : undefined,
    type === 'attempt_ended' ? results[result] : undefined,
    why?.replaceAll('_', ' '),
    httpStatus === undefined ? undefined : `HTTP ${httpStatus}`,
    outcome === undefined ? undefined : `outcome: ${outcome}`,
    jobStatus === undefined ? undefined : `job: ${jobStatus}`,
    reason === undefined ? undefined : `reason: “${reason}”`,
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

/** @param cancellation as the API reads it, with `wakeAt` */
export const drawTimeline = (place, cancellation) => {
  const { timeline, wakeAt, jobId } = cancellation;
  const first = Date.parse(timeline[0].at);
  const list = document.createElement('ol');
  list.className = 'events';
  for (const event of timeline) {
    const closing = event.type === 'closed' ? ' closing' : '';
    const after = event === timeline[0] ? '0 s' : seconds(Date.parse(event.at) - first);
    list.append(item(`${toneOf(event)}${closing}`, after, titles[event.type], describe(event)));
  }
  if (wakeAt !== null && cancellation.state === 'open') {
    const when = new Date(wakeAt).toLocaleTimeString();
    list.append(
      item('next', seconds(Date.parse(wakeAt) - first), 'Next look', `not before ${when}, by the reconciler`),
    );
  }
  const names = document.createElement('p');
  names.className = 'small lead';
  names.textContent = `${cancellation.externalId} · ${jobId}`;
  place.replaceChildren(names, list);
};
