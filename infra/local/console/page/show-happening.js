import { drawTimeline } from './draw-timeline.js';
import { drawWay } from './draw-way.js';
import { get, setText } from './make-element.js';
import { describeAnswer, showRaw } from './show-answer.js';

const hints = {
  nothing: 'Choose an order: its way appears here.',
  waiting: 'The answer is on its way …',
  answer: 'This request has begun no cancellation.',
  unanswered: 'The request was not answered. Whether it had an effect is not known: repeat it.',
};

let shownAnswer;

/**
 * Shows the middle of the page: one request or cancellation, and nothing of another.
 * @param kind `nothing`, `waiting`, `unanswered`, `answer` (it reached no job) or `cancellation`
 * @param answer the newest about it, if this page sent a request
 * @param cancellation undefined until the run has sent it
 * @param onChoose called with the jobId of a candidate
 */
export const showHappening = ({ kind, answer, cancellation }, onChoose) => {
  if (answer !== shownAnswer) {
    get('answer').replaceChildren(...(answer ? describeAnswer(answer, onChoose) : []));
    get('raw').replaceChildren(...(answer ? [showRaw(answer)] : []));
    shownAnswer = answer;
  }
  get('hint').hidden = hints[kind] === undefined;
  setText(get('hint'), hints[kind] ?? '');
  get('chosen').hidden = get('history').hidden = cancellation === undefined;
  get('way').hidden = cancellation === undefined && kind !== 'nothing';
  if (cancellation !== undefined) {
    setText(get('chosen-name'), cancellation.externalId);
    setText(get('chosen-job'), cancellation.jobId);
    drawTimeline(get('timeline'), cancellation);
  }
  if (!get('way').hidden) drawWay(get('way'), cancellation);
};

/** Where the page is one column, what happens may be far from what was pressed. */
export const reveal = () => {
  const { top } = get('happens').getBoundingClientRect();
  if (top >= 0 && top < innerHeight / 2) return;
  const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
  get('happens').scrollIntoView({ block: 'start', behavior });
};
