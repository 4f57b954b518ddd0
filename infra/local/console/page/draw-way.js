import { inWords, lasted, make, timeOf } from './make-element.js';

/** The way of a cancellation as a picture: request, log, Plangrep, end, callback. As a list, it is its own text. */

const times = (count) => (count === 1 ? 'once' : `${count} times`);
const pagesOf = ({ pageCount, successfulPageCount: processed }) =>
  pageCount === null || processed === null ? undefined : `${processed} of ${pageCount} pages`;

/** A cancelled job's pages that were not processed, at the price of those that were: as the figures above the list. */
const savedOf = ({ outcome, pageCount, successfulPageCount: processed, creditsDebited }) => {
  if (outcome !== 'cancelled' || !processed || creditsDebited === null || pageCount === null) return undefined;
  const saved = Math.round((Math.max(0, pageCount - processed) * creditsDebited) / processed);
  return saved > 0 ? `${saved} credits saved` : undefined;
};

const troubleOf = ({ httpStatus, why, result }) =>
  httpStatus === undefined ? inWords(why ?? result) : `answered HTTP ${httpStatus}`;

const plangrepOf = ({ state, outcome, looks, jobStatus, requestedAt, timeline }) => {
  const answered = timeline.find(({ type }) => type === 'attempt_ended' || type === 'closed');
  const ended = timeline.findLast(({ type }) => type === 'attempt_ended');
  const isTrouble = state === 'open' && ended !== undefined && ended.result !== 'accepted';
  return {
    title: 'Plangrep',
    state: outcome === 'job_not_found' ? 'failed' : state === 'closed' ? 'done' : isTrouble ? 'late' : 'now',
    lines: [
      `asked ${times(looks)}`,
      answered && `answer after ${lasted(Date.parse(answered.at) - Date.parse(requestedAt))}`,
      isTrouble && troubleOf(ended),
      !isTrouble && jobStatus !== null ? `job: ${inWords(jobStatus)}` : undefined,
    ],
  };
};

const ends = { cancelled: 'done', too_late: 'late', job_not_found: 'failed' };
const endOf = (cancellation) => {
  const { state, outcome, closedAt, requestedAt, wakeAt, creditsDebited } = cancellation;
  const credits = creditsDebited === null ? undefined : `${creditsDebited} credits debited`;
  if (state === 'open') {
    return {
      title: 'End: not yet',
      state: '',
      lines: [wakeAt === null ? undefined : `next look at ${timeOf(wakeAt)}`, pagesOf(cancellation), credits],
    };
  }
  return {
    title: `End: ${inWords(outcome)}`,
    state: ends[outcome],
    lines: [
      `after ${lasted(Date.parse(closedAt) - Date.parse(requestedAt))}`,
      pagesOf(cancellation),
      credits,
      savedOf(cancellation),
    ],
  };
};

const callbackOf = (timeline) => {
  const attempts = timeline.filter(({ type }) => type === 'callback');
  const last = attempts.at(-1);
  if (last === undefined) return [];
  const { result, why, httpStatus, nextAt, at } = last;
  return [
    {
      title: `Callback: ${inWords(result)}`,
      state: result === 'delivered' ? 'done' : result === 'failed' && !nextAt ? 'failed' : 'late',
      lines: [
        `${result === 'delivered' ? 'at' : 'tried at'} ${timeOf(at)}, attempt ${last.attempt}`,
        httpStatus === undefined ? why && inWords(why) : `HTTP ${httpStatus}`,
        nextAt && `next attempt at ${timeOf(nextAt)}`,
      ],
    },
  ];
};

const stationsOf = (cancellation) => {
  const { partnerId, requestedAt, joinedCount, timeline } = cancellation;
  const events = timeline.filter(({ seq }) => seq !== undefined);
  return [
    {
      title: 'Request',
      state: 'done',
      lines: [`${timeOf(requestedAt)}, ${partnerId}`, joinedCount > 0 ? `${joinedCount} more joined` : undefined],
    },
    {
      title: 'Log',
      state: 'done',
      lines: ['on record before any effect', `${events.at(-1).seq} ${events.at(-1).seq === 1 ? 'event' : 'events'}`],
    },
    plangrepOf(cancellation),
    endOf(cancellation),
    ...callbackOf(timeline),
  ];
};

const explained = [
  { title: 'Request', state: '', lines: ['a partner names its own externalId'] },
  { title: 'Log', state: '', lines: ['the intent is on record before any effect'] },
  { title: 'Plangrep', state: '', lines: ['is asked to cancel, and again until the end is certain'] },
  { title: 'End', state: '', lines: ['the outcome, with its time, pages and credits'] },
  { title: 'Callback', state: '', lines: ["tells the partner's endpoint, until it confirms"] },
];

const drawStations = (stations) =>
  make(
    'ol',
    { 'aria-label': 'The way of the cancellation' },
    ...stations.map(({ title, state, lines }) => {
      const texts = lines.filter(Boolean).map((line) => make('p', {}, line));
      return make(state === '' ? 'li' : `li.${state}`, {}, make('b', {}, title), ...texts);
    }),
  );

/** By whom the time was spent, as a bar and in words. */
const drawSpent = ({ spentMs }) => {
  if (spentMs === null) return [];
  const parts = [
    ['us', 'this service', spentMs.us],
    ['plangrep', 'Plangrep', spentMs.plangrep],
    ['person', 'a person', spentMs.person],
  ].filter(([, , ms]) => ms > 0);
  const bar = make('div.spent', { 'aria-hidden': 'true' });
  for (const [name, , ms] of parts) {
    const part = make(`span.${name}`);
    part.style.flexGrow = ms;
    bar.append(part);
  }
  const legend = parts.map(([name, who, ms]) => make(`span.${name}`, {}, `${who} ${lasted(ms)}`));
  return parts.length === 0 ? [] : [bar, make('p.legend', {}, make('span', {}, 'Time spent by'), ...legend)];
};

/** @param cancellation as the API reads it, with `partnerId` and `wakeAt`; undefined: what the way is in general */
export const drawWay = (place, cancellation) => {
  if (cancellation === undefined) place.replaceChildren(drawStations(explained));
  else place.replaceChildren(drawStations(stationsOf(cancellation)), ...drawSpent(cancellation));
};
