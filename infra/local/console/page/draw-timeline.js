import { inWords, lasted, make, timeOf } from './make-element.js';

/** One cancellation, event by event, each with the time since the first. */

const titles = {
  requested: 'Requested: recorded before any effect',
  attempt_started: 'Attempt started',
  attempt_ended: 'Attempt ended',
  observed: 'Job read: something has changed',
  escalated: 'Escalated: the operators are notified',
  closed: 'Closed',
  joined: 'Another request joined',
  callback: 'Callback',
};

const results = {
  accepted: 'Plangrep accepted the cancel; the job continues until it takes effect',
  refused: 'Plangrep rejected the cancel',
  rate_limited: 'Plangrep asked to slow down',
  key_refused: "Plangrep rejected this service's key",
  not_sent: 'nothing was sent',
  not_found: 'Plangrep does not know the job',
  unknown: 'it is not known whether Plangrep cancelled',
  delivered: 'the endpoint confirmed it',
  failed: 'not delivered',
  paused: "kept: the partner's callbacks are paused",
  erased: 'not sent: the cancellation was erased',
};

const toneOf = ({ type, outcome, result }) => {
  if (type === 'closed') return outcome === 'cancelled' ? 'good' : 'warn';
  if (type === 'attempt_ended') return result === 'accepted' ? 'warn' : 'bad';
  if (type === 'callback') return result === 'delivered' ? 'good' : result === 'failed' ? 'bad' : 'warn';
  return type === 'escalated' ? 'bad' : '';
};

const describe = ({ type, about, attempt, result, why, httpStatus, outcome, jobStatus, reason, nextAt }) =>
  [
    attempt !== undefined && type !== 'requested' && `attempt ${attempt}`,
    about !== undefined && `about event ${about}`,
    result !== undefined && (results[result] ?? inWords(result)),
    why && inWords(why),
    httpStatus !== undefined && `HTTP ${httpStatus}`,
    outcome && `outcome: ${inWords(outcome)}`,
    jobStatus && `job: ${inWords(jobStatus)}`,
    reason && `reason: “${reason}”`,
    nextAt && `next attempt at ${timeOf(nextAt)}`,
  ]
    .filter(Boolean)
    .join(' · ');

const item = (classes, after, title, details) =>
  make(
    'li',
    { className: classes },
    make('span.after', {}, after),
    make('div.what', {}, make('b', {}, title), details),
  );

/** @param cancellation as the API reads it, with `wakeAt` */
export const drawTimeline = (place, { timeline, wakeAt, state, creditsDebitedMeanwhile }) => {
  const first = Date.parse(timeline[0].at);
  const since = (at) => `+${lasted(Math.max(0, Date.parse(at) - first))}`;
  const items = timeline.map((event) => {
    const classes = `${toneOf(event)}${event.type === 'closed' ? ' closing' : ''}`;
    return item(
      classes,
      event === timeline[0] ? '0 s' : since(event.at),
      titles[event.type] ?? inWords(event.type),
      describe(event),
    );
  });
  if (wakeAt !== null && state === 'open') {
    items.push(item('next', since(wakeAt), 'Next look', `not before ${timeOf(wakeAt)}, by the reconciler`));
  }
  if (creditsDebitedMeanwhile > 0) {
    items.push(item('', '', 'Meanwhile', `${creditsDebitedMeanwhile} credits debited since the request`));
  }
  place.replaceChildren(make('ol.events', {}, ...items));
};
