/** The table of cancellations: rows are kept, so that the focus stays where it is while others come in. */

const tones = { cancelled: 'good', too_late: 'warn', job_not_found: 'bad', open: 'warn' };
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

/** @param onChoose told of the key of a row that was chosen */
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
        made.badge.className = `badge ${tones[outcome]}`;
        made.cells[3].textContent = pagesOf(cancellation);
        made.cells[4].textContent = new Date(cancellation.requestedAt).toLocaleTimeString();
        if (body.children[position] !== made.row) body.insertBefore(made.row, body.children[position] ?? null);
      }
      while (body.children.length > cancellations.length) body.lastElementChild.remove();
    },
  };
};
