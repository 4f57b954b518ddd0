import { commitTexts } from '../../functions/core/cancellation/commitment.ts';
import type { Asked } from '../../functions/core/cancellation/events.ts';

/** A request as it is on record, always with the same salts. */
export const committed = <const Request extends Pick<Asked, 'externalId' | 'reason'>>(request: Request) => {
  let salts = 0;
  return commitTexts(request, () => String(++salts).padStart(32, 'a'));
};
