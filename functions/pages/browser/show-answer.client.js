import { writeCode } from './write-code.client.js';

/** @returns an element with its properties and its children, which are elements or texts */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function makeButton(words, onClick) {
  const button = make('button', { type: 'button' }, words);
  button.addEventListener('click', onClick);
  return button;
}

function makeNotice(kind, ...children) {
  return make('div', { className: `notice ${kind}` }, ...children);
}

function makeCode(name, text) {
  const button = make(
    'button',
    { type: 'button', className: 'slim' },
    'Copy',
    make('span', { className: 'unseen' }, ` ${name}`),
  );
  const caption = make('figcaption', {}, name, button);
  return make('figure', { className: 'code' }, caption, make('pre', {}, writeCode(make('code'), text)));
}

/**
 * A form shows in one line how it went, which a screen reader reads out, and the rest below.
 * @param line elements or texts
 */
function show(form, line, ...rest) {
  form.querySelector('.outcome').replaceChildren(...line);
  form.querySelector('.answer').replaceChildren(...rest);
}

export function showWaiting(form) {
  show(form, ['Waiting for the answer …']);
}

/** What the reader has to do first. */
export function showAdvice(form, heading, text, { words, run }) {
  show(
    form,
    [make('strong', {}, heading)],
    makeNotice('warn', make('p', {}, text), make('p', {}, makeButton(words, run))),
  );
}

/** The service did not answer: it is gone, or the connection to it. */
export function showNoAnswer(form, again) {
  const text =
    'Whether the request arrived is not known; you may repeat it safely. Check the connection. If you have stopped a local run, start it with npm start and paste the credential that it prints.';
  show(
    form,
    [make('strong', {}, `No answer from ${location.host}`)],
    makeNotice('bad', make('p', {}, text), make('p', {}, makeButton('Try again', again))),
  );
}

const kept = ['Location', 'Retry-After', 'Preference-Applied', 'Allow', 'X-Request-Id'];

/**
 * An answer as people read it: what it means, what to do next, then the whole of it.
 * @param next what its buttons do
 */
export function showAnswer(form, { status, headers, text, tookMs }, next) {
  const body = parse(text);
  const kind = status < 300 ? 'good' : status < 500 ? 'warn' : 'bad';
  const badge = make('span', { className: `badge ${kind}` }, String(status));
  markFields(form, body?.errors ?? []);
  const found = kept.filter((name) => headers.has(name)).map((name) => `${name}: ${headers.get(name)}`);
  show(
    form,
    [badge, ' ', make('strong', {}, titleOf(body)), ` ${Math.round(tookMs)} ms`],
    ...(typeof body?.code === 'string' ? [makeProblem(body, kind, next)] : []),
    ...(body?.state ? [makeSummary(body, next)] : []),
    makeCode('The answer', body === undefined ? text : JSON.stringify(body, null, 2)),
    ...(found.length > 0 ? [makeCode('Its headers', found.join('\n'))] : []),
  );
}

/** Marks the fields that the problem names, for the eye and for a screen reader. */
function markFields(form, errors) {
  for (const field of form.querySelectorAll('[data-in]')) {
    field.setAttribute('aria-invalid', String(errors.some(({ path }) => path === field.name)));
  }
}

/** @returns undefined for what is not JSON: something on the way has answered, not the service */
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const outcomes = {
  cancelled: 'The job is cancelled.',
  too_late: 'The job ended before the cancel.',
  job_not_found: 'Plangrep does not know the job.',
};

function titleOf(body) {
  if (typeof body?.code === 'string') return String(body.title ?? body.code);
  if (body?.state === 'open') return 'Accepted, not yet certain: the service continues.';
  if (body?.state === 'closed') return outcomes[body.outcome] ?? `Closed: ${body.outcome}.`;
  if (body?.cancellations?.length === 0) return 'No cancellation yet.';
  if (body?.cancellations) return `Cancellations: ${body.cancellations.length}.`;
  return '';
}

function makeProblem(problem, kind, next) {
  const code = String(problem.code);
  const page = make('a', { href: `./problems/${encodeURIComponent(code)}` }, make('code', {}, code));
  const errors = (problem.errors ?? []).map(({ path, message }) =>
    make('li', {}, make('code', {}, path || 'body'), ` ${message}`),
  );
  return makeNotice(
    kind,
    errors.length > 0 ? make('ul', {}, ...errors) : make('p', {}, String(problem.detail ?? '')),
    ...(problem.candidates ? [makeChoice(problem.candidates, next)] : []),
    ...(problem.status === 401 ? [make('p', {}, makeButton('Go to the credential', next.fixCredential))] : []),
    make('p', {}, 'Its page: ', page, problem.retryable ? '. The same request may succeed later.' : ''),
  );
}

/** Which of several jobs: a click repeats the request with its jobId. */
function makeChoice(candidates, next) {
  const choices = candidates.map(({ jobId, jobStatus }) => {
    const button = makeButton('Choose this', () => next.choose(jobId));
    button.setAttribute('aria-label', `Choose this: ${jobId}`);
    return make('li', {}, make('code', {}, jobId), ` ${jobStatus} `, button);
  });
  return make('ul', { className: 'choice' }, ...choices);
}

function makeSummary({ jobId, state, pageCount, successfulPageCount: done }, next) {
  const pages = pageCount === null || done === null ? '' : `${done} of ${pageCount} pages were processed.`;
  const button = next.read && makeButton('Read this cancellation', () => next.read(jobId));
  return makeNotice(
    state === 'open' ? 'warn' : 'good',
    ...(pages === '' ? [] : [make('p', {}, pages)]),
    ...(button ? [make('p', {}, button)] : []),
  );
}
