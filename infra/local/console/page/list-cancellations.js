import { inWords, make, timeOf } from './make-element.js';

export const keyOf = ({ partnerId, jobId }) => `${partnerId}#${jobId}`;

const tones = { cancelled: 'good', too_late: 'warn', job_not_found: 'bad', open: 'warn' };
const pagesOf = ({ pageCount, successfulPageCount }) =>
  pageCount === null || successfulPageCount === null
    ? 'pages not known'
    : `${successfulPageCount} of ${pageCount} pages`;

/** An id has its line. Of one that is much longer than that, the list shows both ends. */
const LONG = 45;
const shorten = (id) => `${id.slice(0, 30)}…${id.slice(-14)}`;

const createRow = (cancellation, choose) => {
  const { externalId } = cancellation;
  const button = make(
    'button',
    { type: 'button', tabIndex: -1, onclick: choose, title: externalId },
    ...(externalId.length <= LONG
      ? [externalId]
      : [make('span', { 'aria-hidden': 'true' }, shorten(externalId)), make('span.unseen', {}, externalId)]),
  );
  const at = timeOf(cancellation.requestedAt);
  const [badge, pages] = [make('span.badge'), make('span.soft')];
  const row = make(
    'tr',
    {},
    make('td', {}, button, make('span.soft', {}, cancellation.partnerId, make('span.at', {}, `, ${at}`))),
    make('td', {}, badge, pages),
    make('td', {}, at),
  );
  const update = (changed) => {
    const outcome = changed.outcome ?? 'open';
    badge.textContent = inWords(outcome);
    badge.className = `badge ${tones[outcome]}`;
    pages.textContent = pagesOf(changed);
    return outcome;
  };
  return { row, button, update, requestedAt: cancellation.requestedAt, text: cancellation.externalId.toLowerCase() };
};

/**
 * The table of cancellations, the newest first: one stop for the Tab key, with the arrow keys inside. Only rows that
 * change are touched, so that the focus stays where it is and 500 rows stay quick.
 * @param onChoose called with the key of the chosen row
 */
export const createList = ({ body, filter, outcome, empty }, onChoose) => {
  const rows = new Map();
  let chosen;

  const seen = () => [...body.children].filter(({ hidden }) => !hidden).map((row) => row.querySelector('button'));
  const applyFilter = () => {
    const text = filter.value.trim().toLowerCase();
    for (const one of rows.values()) {
      one.row.hidden = !one.text.includes(text) || (outcome.value !== '' && outcome.value !== one.outcome);
    }
    const count = seen().length;
    empty.hidden = count > 0;
    empty.textContent =
      rows.size === 0 ? 'No cancellation yet. Choose an order.' : 'No cancellation matches the filter.';
    keepOneStop();
  };
  /** The chosen row is the stop, or else the first. */
  const keepOneStop = () => {
    const buttons = seen();
    const stop = buttons.find((button) => button.tabIndex === 0);
    const next = buttons.find((button) => button === rows.get(chosen)?.button) ?? stop ?? buttons[0];
    for (const { button } of rows.values()) button.tabIndex = button === next ? 0 : -1;
  };
  const moveFocus = (event) => {
    const buttons = seen();
    const at = buttons.indexOf(document.activeElement);
    const last = buttons.length - 1;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: last }[
      event.key
    ];
    if (at === -1 || to === undefined) return;
    event.preventDefault();
    const next = buttons[Math.min(last, Math.max(0, to))];
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  };
  body.addEventListener('keydown', moveFocus);
  filter.addEventListener('input', applyFilter);
  outcome.addEventListener('input', applyFilter);

  const insert = (made) => {
    const before = [...body.children].find((row) => rows.get(row.dataset.key).requestedAt <= made.requestedAt);
    body.insertBefore(made.row, before ?? null);
  };
  return {
    /** @param gone the keys of rows that go */
    show(changed, gone) {
      for (const key of gone) {
        rows.get(key)?.row.remove();
        rows.delete(key);
      }
      // Oldest first: each then goes to the top.
      for (const cancellation of changed.toReversed()) {
        const key = keyOf(cancellation);
        const known = rows.get(key);
        const made = known ?? createRow(cancellation, () => onChoose(key));
        made.outcome = made.update(cancellation);
        if (known !== undefined) continue;
        made.row.dataset.key = key;
        rows.set(key, made);
        insert(made);
      }
      applyFilter();
    },
    choose(key) {
      chosen = key;
      for (const [one, { button }] of rows) button.setAttribute('aria-pressed', String(one === key));
      keepOneStop();
    },
  };
};
