import { lasted, make, makeCode, timeOf } from './make-element.js';

/** The answer as the caller gets it: first in words, then as it is. */

const toneOf = (status) => (status < 300 && status !== 202 ? 'good' : status < 300 || status === 409 ? 'warn' : 'bad');

/** Each candidate of an ambiguous answer cancels that one when it is pressed. */
const makeCandidates = (candidates, onChoose) =>
  make(
    'ul.choices',
    { 'aria-label': 'Jobs with this externalId' },
    ...candidates.map(({ jobId, jobStatus, registeredAt }) =>
      make(
        'li',
        {},
        make(
          'button.choice',
          { type: 'button', onclick: () => onChoose(jobId) },
          make('b', {}, 'Cancel this one'),
          make('span.id', {}, jobId),
          make('span.soft', {}, `${jobStatus}, registered ${timeOf(registeredAt)}`),
        ),
      ),
    ),
  );

const makeProblem = ({ title, detail, type, errors = [] }) =>
  make(
    'div.notice.warn',
    {},
    make('p', {}, make('b', {}, title), make('br'), detail),
    errors.length === 0
      ? undefined
      : make('ul', {}, ...errors.map(({ path, message }) => make('li', {}, `${path}: ${message}`))),
    make('p', {}, make('a', { href: type }, 'What it means and what to do')),
  );

/**
 * In words: the status, and for a problem what it is and what can be done.
 * @param onChoose called with the jobId of a candidate
 */
export const describeAnswer = ({ request, status, statusText, tookMs, body }, onChoose) => [
  make(
    'p.line',
    {},
    make('span.id', {}, `${request.method} ${request.path}`),
    make(`span.badge.${toneOf(status)}`, {}, `${status} ${statusText}`),
    make('span.soft', {}, `after ${lasted(tookMs)}`),
  ),
  ...(body?.code && body.title ? [makeProblem(body)] : []),
  ...(body?.candidates ? [makeCandidates(body.candidates, onChoose)] : []),
];

const pretty = (text, body) => (body === undefined ? text : JSON.stringify(body, null, 2));

/** As it is: what was sent, the body and the headers. */
export const showRaw = ({ request, text, body, headers }) =>
  make(
    'details.raw',
    { open: true },
    make('summary', {}, 'What the caller sent and got'),
    ...(request.body === undefined ? [] : [makeCode('Request body', request.body)]),
    makeCode('Answer', pretty(text, body)),
    makeCode('Headers', headers.map(([name, value]) => `${name}: ${value}`).join('\n')),
  );
