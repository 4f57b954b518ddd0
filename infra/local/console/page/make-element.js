import { writeCode } from './write-code.js';

/**
 * Makes an element. Every text is set as text, never as HTML.
 * @param name `div`, or with a class `p.lead`
 * @param properties what is set on it; `aria-` and `data-` ones, and `role`, as attributes
 * @param children elements and texts; undefined ones are left out
 */
export const make = (name, properties = {}, ...children) => {
  const [tag, ...classes] = name.split('.');
  const made = document.createElement(tag);
  if (classes.length > 0) made.className = classes.join(' ');
  for (const [key, value] of Object.entries(properties)) {
    if (/^(aria-|data-|role$|for$)/.test(key)) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
};

export const get = (id) => document.getElementById(id);

/** Sets a text only when it is another one: what is there already is not announced again. */
export const setText = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/** A code with its own line above, as on every page: what it is, and Copy. */
export const makeCode = (title, text) =>
  make(
    'figure.code',
    {},
    make('figcaption', {}, make('span', {}, title), make('button.slim', { type: 'button' }, 'Copy')),
    writeCode(make('pre'), text),
  );

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
export const timeOf = (timestamp) => clock.format(new Date(timestamp));

/** A span of time, as long as it needs to be: `8 ms`, `1.25 s`, `12 min`. */
export const lasted = (ms) => {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
};

export const inWords = (code) => code.replaceAll('_', ' ');
