/** Sends a request as a caller would, and shows the answer as the caller gets it. */

const element = (name, text, className) => {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== undefined) made.className = className;
  return made;
};

/** Nothing of it is put into the page as HTML. */
const pretty = (text) => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

const toneOf = (status) => (status < 300 && status !== 202 ? 'good' : status < 300 || status === 409 ? 'warn' : 'bad');

const show = (place, { method, path, status, statusText, headers, text, took }) => {
  const nodes = [
    element('p', `${method} ${path}`),
    element('p', `${status} ${statusText}, after ${took} ms`, `badge ${toneOf(status)}`),
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
      cache: 'no-store',
    });
    const text = await response.text();
    const { status, statusText } = response;
    const took = Math.round(performance.now() - from);
    show(place, { method, path, status, statusText, headers: [...response.headers], text, took });
    const { code, outcome, state } = JSON.parse(text);
    return `Answered ${status}${(code ?? outcome ?? state) ? `: ${code ?? outcome ?? state}` : ''}.`;
  } catch (error) {
    place.replaceChildren(element('p', `No answer: ${String(error)}`, 'bad'));
    return 'No answer.';
  }
};
