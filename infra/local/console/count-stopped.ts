import type { CancellationAnswer } from '../../../functions/contract/answers.ts';

/** What cancels have saved. */
export interface Stopped {
  /** Pages that the jobs had, less those that were processed. */
  readonly pages: number;
  /** The same pages at the price of those that were processed; of jobs that had processed none the price is not known. */
  readonly credits: number;
}

/** Counts the cancellations that ended as `cancelled` and whose pages Plangrep told. */
export const countStopped = (
  cancellations: readonly Pick<
    CancellationAnswer,
    'outcome' | 'pageCount' | 'successfulPageCount' | 'creditsDebited'
  >[],
): Stopped => {
  let [pages, credits] = [0, 0];
  for (const { outcome, pageCount, successfulPageCount: processed, creditsDebited } of cancellations) {
    if (outcome !== 'cancelled' || pageCount === null || processed === null) continue;
    const stopped = Math.max(0, pageCount - processed);
    pages += stopped;
    if (processed > 0 && creditsDebited !== null) credits += (stopped * creditsDebited) / processed;
  }
  return { pages, credits: Math.round(credits) };
};
