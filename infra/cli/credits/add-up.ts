import type { SpentMs } from '../../../functions/core/cancellation/account.ts';
import { type Outcome, parseEvent } from '../../../functions/core/cancellation/events.ts';
import { pagesLeft } from '../../../functions/core/cancellation/job-status.ts';
import {
  applyEvent,
  BrokenStream,
  type CancellationState,
  type ClosedCancellation,
  isClosed,
} from '../../../functions/core/cancellation/state.ts';
import { EVENT_PREFIX, parseStreamKey, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import type { PartnerId, Timestamp } from '../../../functions/core/identifiers.ts';
import type { ScannedRecord } from '../audit/scan-log.ts';

/** What closed cancellations took and cost; times in milliseconds. */
export interface Sums {
  readonly closed: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly ranMs: number;
  readonly spentMs: SpentMs;
  readonly creditsDebitedMeanwhile: number;
  /** In how many of them job reads told the credits. */
  readonly creditsToldBy: number;
  readonly pagesStopped: number;
  /** Of this partner, requested before the end of the month and still open. */
  readonly open: number;
}

export interface OpenCancellation {
  readonly partnerId: string;
  readonly jobId: string;
  readonly requestedAt: Timestamp;
  readonly attempts: number;
}

export interface MonthlySums {
  /** By partner, in order of their names. */
  readonly partners: ReadonlyMap<string, Sums>;
  readonly total: Sums;
  /** The longest open ones, at most {@link OPEN_SHOWN}, the oldest first. */
  readonly open: readonly OpenCancellation[];
  /** Streams that do not fold, so that nothing of them counts from there on. */
  readonly broken: readonly string[];
}

export interface Month {
  readonly from: Timestamp;
  /** The first moment after it. */
  readonly until: Timestamp;
}

export const OPEN_SHOWN = 100;
/** More broken streams than an operator reads one by one. */
const BROKEN_SHOWN = 100;

const none: Sums = {
  closed: 0,
  outcomes: { cancelled: 0, too_late: 0, job_not_found: 0 },
  ranMs: 0,
  spentMs: { us: 0, plangrep: 0, person: 0 },
  creditsDebitedMeanwhile: 0,
  creditsToldBy: 0,
  pagesStopped: 0,
  open: 0,
};

/**
 * Adds up the cancellations that closed in a month, by partner, record by record in the order of a scan. Memory holds one
 * state, the sums of each partner, and the oldest open cancellations. A cancellation that closed as `job_not_found` and
 * began anew counts each time that it closed.
 * @param partner absent: all
 */
export function createMonthlySums({ from, until }: Month, partner?: PartnerId) {
  const sums = new Map<string, Sums>();
  const broken: string[] = [];
  let open: OpenCancellation[] = [];
  let partition = '';
  let state: CancellationState | 'broken' | undefined;

  const addTo = (partnerId: string, what: Partial<Sums>): void => {
    sums.set(partnerId, add(sums.get(partnerId) ?? none, { ...none, ...what }));
  };

  function endStream(): void {
    if (state === undefined || state === 'broken' || isClosed(state) || state.requestedAt >= until) return;
    const { partnerId, jobId, requestedAt, attempts } = state;
    addTo(partnerId, { open: 1 });
    open.push({ partnerId, jobId, requestedAt, attempts });
    if (open.length > 2 * OPEN_SHOWN) open = oldest(open);
  }

  return {
    take({ partition: next, record }: ScannedRecord): void {
      if (next !== partition) {
        endStream();
        [partition, state] = [next, undefined];
      }
      const name = parseStreamKey(next);
      const isOther = name === undefined || (partner !== undefined && name.partnerId !== partner);
      if (isOther || state === 'broken' || !record.key.startsWith(EVENT_PREFIX)) return;
      const event = parseEvent(record.fields);
      try {
        if (event === undefined || streamKey(event) !== next) throw new BrokenStream('not an event of this stream');
        state = applyEvent(state, event);
      } catch (error) {
        if (!(error instanceof BrokenStream)) throw error;
        state = 'broken';
        if (broken.length < BROKEN_SHOWN) broken.push(next);
        return;
      }
      if (event.type !== 'closed' || !isClosed(state)) return;
      if (event.at >= from && event.at < until) addTo(state.partnerId, sumsOf(state));
    },
    end(): MonthlySums {
      endStream();
      state = undefined;
      const partners = new Map([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)));
      const total = [...partners.values()].reduce(add, none);
      return { partners, total, open: oldest(open), broken };
    },
  };
}

function sumsOf({ step: { outcome, figures }, facts }: ClosedCancellation): Partial<Sums> {
  const { ranMs = 0, spentMs, creditsDebitedMeanwhile } = figures;
  return {
    closed: 1,
    outcomes: { ...none.outcomes, [outcome]: 1 },
    ranMs,
    spentMs,
    creditsDebitedMeanwhile: creditsDebitedMeanwhile ?? 0,
    creditsToldBy: creditsDebitedMeanwhile === undefined ? 0 : 1,
    pagesStopped: outcome === 'cancelled' ? (pagesLeft(facts) ?? 0) : 0,
  };
}

function add(a: Sums, b: Sums): Sums {
  return {
    closed: a.closed + b.closed,
    outcomes: {
      cancelled: a.outcomes.cancelled + b.outcomes.cancelled,
      too_late: a.outcomes.too_late + b.outcomes.too_late,
      job_not_found: a.outcomes.job_not_found + b.outcomes.job_not_found,
    },
    ranMs: a.ranMs + b.ranMs,
    spentMs: {
      us: a.spentMs.us + b.spentMs.us,
      plangrep: a.spentMs.plangrep + b.spentMs.plangrep,
      person: a.spentMs.person + b.spentMs.person,
    },
    // Credits have six decimals.
    creditsDebitedMeanwhile: Math.round((a.creditsDebitedMeanwhile + b.creditsDebitedMeanwhile) * 1e6) / 1e6,
    creditsToldBy: a.creditsToldBy + b.creditsToldBy,
    pagesStopped: a.pagesStopped + b.pagesStopped,
    open: a.open + b.open,
  };
}

function oldest(open: readonly OpenCancellation[]): OpenCancellation[] {
  return open.toSorted((a, b) => (a.requestedAt < b.requestedAt ? -1 : 1)).slice(0, OPEN_SHOWN);
}
