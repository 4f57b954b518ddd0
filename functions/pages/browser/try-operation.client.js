import { askForCredential, readCredential } from './keep-credential.client.js';
import { parse, showAdvice, showAnswer, showNoAnswer, showWaiting } from './show-answer.client.js';
import { writeCode } from './write-code.client.js';

/** Where the service is mounted: this page is directly under it. */
const base = new URL('.', location.href).href.replace(/\/$/, '');
const forms = [...document.querySelectorAll('form[data-method]')];

for (const form of forms) {
  const refresh = () => writeCode(form.querySelector('.command code'), toCommand(readRequest(form)));
  form.addEventListener('input', refresh);
  form.querySelector('.example')?.addEventListener('change', ({ target }) => {
    fill(form, JSON.parse(target.value));
    refresh();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send(form);
  });
  refresh();
}

/** @returns the request that the form describes; what is empty is left out */
function readRequest(form) {
  const { method, path: template } = form.dataset;
  const [query, headers, body] = [new URLSearchParams(), {}, {}];
  let path = template;
  for (const { name, value, dataset } of form.querySelectorAll('input[data-in]')) {
    if (value === '') continue;
    if (dataset.in === 'path') path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (dataset.in === 'query') query.set(name, value);
    else if (dataset.in === 'header') headers[name] = value;
    else body[name] = toValue(value, dataset.type);
  }
  const hasBody = form.querySelector('[data-in="body"]') !== null;
  const search = query.size > 0 ? `?${query}` : '';
  return { method, path: path + search, headers, body: hasBody ? JSON.stringify(body) : undefined };
}

/** @returns what is no JSON of its type as it is: the service says what is wrong with it */
function toValue(text, type) {
  if (type === 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Optional fields are opened where one of them gets a value. */
function fill(form, values) {
  for (const input of form.querySelectorAll('[data-in="body"]')) {
    input.value = input.required || input.name in values ? (values[input.name] ?? '') : '';
    const optional = input.closest('details');
    if (optional && input.value !== '') optional.open = true;
  }
}

/** The body gets spaces, at which its lines can be broken. */
function toCommand({ method, path, headers, body }) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const sent = Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`);
  return [
    `curl -sS ${method === 'GET' || method === 'POST' ? '' : `-X ${method} `}"$CANCELLATION_URL${path}"`,
    '-H "Authorization: Bearer $CANCELLATION_CREDENTIAL"',
    ...sent,
    ...(body === undefined
      ? []
      : [
          "-H 'Content-Type: application/json'",
          `-d ${quote(JSON.stringify(JSON.parse(body), null, 1).replaceAll(/\n\s*/g, ' '))}`,
        ]),
  ].join(' \\\n  ');
}

async function send(form) {
  const button = form.querySelector('button.main');
  const { method, path, headers, body } = readRequest(form);
  if (readCredential() === '') {
    const action = { words: 'Go to the credential', run: askForCredential };
    showAdvice(form, 'Paste your credential first', 'An operator gives you one; a local run prints it.', action);
    return;
  }
  let request;
  try {
    request = new Request(base + path, {
      method,
      headers: {
        ...headers,
        Authorization: `Bearer ${readCredential()}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      body,
      cache: 'no-store',
      credentials: 'omit',
    });
  } catch {
    const action = { words: 'Check the credential', run: askForCredential };
    showAdvice(
      form,
      'A browser cannot send this',
      'A header may contain only printable ASCII characters, the credential too.',
      action,
    );
    return;
  }
  button.disabled = true;
  showWaiting(form);
  try {
    const startedAt = performance.now();
    const response = await fetch(request);
    const text = await response.text();
    const { status, headers: received } = response;
    showAnswer(form, { status, headers: received, text, tookMs: performance.now() - startedAt }, nextSteps(form));
    if (response.ok) offerElsewhere(form, text);
  } catch {
    showNoAnswer(form, () => void send(form));
  } finally {
    button.disabled = false;
  }
}

/** What the buttons in an answer do. */
function nextSteps(form) {
  const reader = document.querySelector('#readCancellation form');
  return {
    fixCredential: askForCredential,
    choose(jobId) {
      fill(form, { ...JSON.parse(readRequest(form).body), jobId });
      form.dispatchEvent(new Event('input'));
      void send(form);
    },
    read:
      form === reader || !reader
        ? undefined
        : (jobId) => {
            fillIn(reader, 'jobId', jobId);
            reader.scrollIntoView({ block: 'start' });
            reader.querySelector('button.main').focus();
            void send(reader);
          },
  };
}

/** What one operation has answered is what the next ones are about. */
function offerElsewhere(form, text) {
  const { jobId, externalId } = parse(text) ?? {};
  for (const other of forms.filter((one) => one !== form && one.dataset.method === 'GET')) {
    fillIn(other, 'jobId', jobId);
    fillIn(other, 'externalId', externalId);
  }
}

function fillIn(form, name, value) {
  const input = form.querySelector(`input[name="${name}"]`);
  if (!input || typeof value !== 'string') return;
  input.value = value;
  form.dispatchEvent(new Event('input'));
}
