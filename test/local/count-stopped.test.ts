import { describe, expect, it } from 'vitest';
import { countStopped } from '../../infra/local/console/count-stopped.ts';

const cancelled = { outcome: 'cancelled', pageCount: 204, successfulPageCount: 63, creditsDebited: 63 } as const;

describe('What cancels have saved', () => {
  it('is the pages that were not processed, at the price of those that were', () => {
    const twiceThePrice = { ...cancelled, pageCount: 20, successfulPageCount: 10, creditsDebited: 20 };

    expect(countStopped([cancelled, twiceThePrice])).toEqual({ pages: 151, credits: 161 });
  });

  it.each([
    ['ended another way', { outcome: 'too_late' as const }],
    ['is still open', { outcome: null }],
    ['told no pages', { pageCount: null }],
    ['told no processed pages', { successfulPageCount: null }],
  ])('leaves out a job that %s', (_what, fields) => {
    expect(countStopped([{ ...cancelled, ...fields }])).toEqual({ pages: 0, credits: 0 });
  });

  it('knows no price where no page was processed', () => {
    expect(countStopped([{ ...cancelled, successfulPageCount: 0, creditsDebited: 0 }])).toEqual({
      pages: 204,
      credits: 0,
    });
  });

  it('is never less than nothing', () => {
    expect(countStopped([{ ...cancelled, successfulPageCount: 300 }])).toEqual({ pages: 0, credits: 0 });
  });
});
