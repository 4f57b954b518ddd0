import { genesisHash, hashEvent } from '../cancellation/chain.ts';
import { judgeTexts } from '../cancellation/commitment.ts';
import { type CancellationEvent, type Outcome, parseEvent } from '../cancellation/events.ts';
import { applyEvent, type CancellationState, checkNext, type NextCheck } from '../cancellation/state.ts';
import { type StreamName, streamKey } from '../cancellation/stream-key.ts';
import { LONGEST_WAKE_UP_DELAY_MS } from '../cancellation/pace.ts';
import { timestampSchema, toTimestamp } from '../identifiers.ts';
import { hasExpired, isPlausible } from '../retention.ts';
import {
  CLOCK_SKEW_MS,
  type Finding,
  type StoredEvent,
  type StoredRecord,
  type StreamHead,
  type WakeUpReader,
} from './findings.ts';

export interface VerifiedStream {
  readonly findings: readonly Finding[];
  /** The newest event. Absent when there is none. */
  readonly head?: StreamHead | undefined;
  /** The closing events, oldest first: several if the cancellation began anew. */
  readonly closings: readonly StreamHead[];
}

/**
 * Recomputes the chain of one stream and names every event that is altered, missing or not where it belongs.
 *
 * Found: an edit of any field of any event, the last one too, and a field added or removed; a gap; events swapped,
 * copied, moved or inserted; events of another stream, also a whole stream under another job's keys; a cut-off end,
 * since only a closed stream loses its wake-ups; a wake-up that the reconciler would never see, or would see later than
 * this service ever sets one. A wake-up on an older event, or before a closing one, is not a finding: the reconciler
 * removes it when it is due.
 *
 * Of a stream that has expired, DynamoDB may have deleted any event: its gaps are not findings.
 *
 * Not found in the log alone, because its hashes need no secret: a forger who recomputes every hash from the changed
 * event to the end of the stream, who inserts a whole stream, or who adds a legal event to an open one; the deletion of
 * a whole stream together with its `joined` records; an open end that is cut off back to an event whose own wake-up is
 * still there or is put back: the service then takes the job up again; a cancellation that began anew, cut off back to
 * its earlier closing. All of these except changes to open streams are
 * found by comparing the digest of the heads (`findings.ts`) with one written down before.
 * @param events in any order
 */
export function verifyStream(name: StreamName, events: readonly StoredEvent[], reader: WakeUpReader): VerifiedStream {
  const stream = streamKey(name);
  const inOrder = events.toSorted((a, b) => a.seq - b.seq);
  const last = inOrder.at(-1);
  if (last === undefined) return { findings: [], closings: [] };
  const mayHaveGaps = inOrder.every(({ fields }) => hasExpired(fields['deleteAfter'], reader.nowMs));
  const walk = inOrder.reduce<Walk>((before, stored) => walkOn(name, before, stored), {
    findings: [],
    seq: 0,
    links: [genesisHash(name)],
    fold: { state: undefined },
    closedAs: undefined,
    newest: undefined,
    deleteAfter: undefined,
    mayHaveGaps,
  });
  const isIdle = mayHaveGaps || reader.isArchive === true;
  const findings = [...walk.findings, ...(isIdle ? [] : judgeWakeUp(walk, last, reader))];
  const heads = inOrder.map((stored) => headOf(stream, stored));
  return {
    findings: findings.map((finding) => ({ ...finding, stream })),
    head: headOf(stream, last),
    closings: heads.filter(({ closedAt }) => closedAt !== undefined),
  };
}

type EventFinding = Omit<Finding, 'stream' | 'record'>;

/** What is known of a stream after its events so far. */
interface Walk {
  readonly findings: readonly EventFinding[];
  readonly seq: number;
  /** What the next event may be chained to: `any` after an event that is missing or in the wrong place. */
  readonly links: readonly string[] | 'any';
  /** `unknown` after a finding: a later event is not blamed for it. */
  readonly fold: { readonly state: CancellationState | undefined } | 'unknown';
  /** How the stream ended, if it did: only one that ended as `job_not_found` may begin anew. */
  readonly closedAs: Outcome | undefined;
  /** The last one, if it is an event of this stream in its place. */
  readonly newest: CancellationEvent | undefined;
  /** When the events so far may be deleted. */
  readonly deleteAfter: number | undefined;
  /** The stream has expired: DynamoDB deletes its events in any order. */
  readonly mayHaveGaps: boolean;
}

function walkOn(name: StreamName, before: Walk, { seq, fields }: StoredEvent): Walk {
  const missing = judgeGap(before.seq + 1, seq);
  const { event, links, findings } = judgeEvent(name, seq, missing.length > 0 ? 'any' : before.links, fields);
  const fold = missing.length > 0 || findings.length > 0 ? 'unknown' : before.fold;
  const displaced = event === undefined ? [] : judgePlace({ ...before, fold }, event);
  const dated = event === undefined ? [] : judgeDate(before, event);
  const gaps = before.mayHaveGaps ? [] : missing;
  return {
    ...before,
    findings: [...before.findings, ...gaps, ...findings, ...displaced, ...dated],
    seq,
    links,
    fold:
      fold === 'unknown' || event === undefined || displaced.length > 0
        ? 'unknown'
        : { state: applyEvent(fold.state, event) },
    closedAs: closedAfter(before.closedAs, event),
    newest: event,
    deleteAfter: event?.deleteAfter ?? before.deleteAfter,
  };
}

/** All events of a stream expire together, whole days after its first one. */
function judgeDate(
  { deleteAfter: standing }: Walk,
  { seq, at, deleteAfter }: CancellationEvent,
): readonly EventFinding[] {
  const altered = (what: string): readonly EventFinding[] => [{ code: 'altered', seq, what }];
  if (standing !== undefined && standing !== deleteAfter) {
    return altered(`Event ${seq} expires at another time than the events before it: one of the dates was rewritten.`);
  }
  if (seq > 1 || isPlausible(deleteAfter, at)) return [];
  return altered(`Event ${seq} expires at a time (${deleteAfter}) that no retention of this service gives it.`);
}

function judgeGap(expected: number, seq: number): readonly EventFinding[] {
  if (seq <= expected) return [];
  const what = seq === expected + 1 ? `Event ${expected} is` : `Events ${expected} to ${seq - 1} are`;
  return [{ code: 'missing', seq: expected, what: `${what} missing.` }];
}

function closedAfter(closedAs: Outcome | undefined, event: CancellationEvent | undefined): Outcome | undefined {
  if (event?.type === 'closed') return event.outcome;
  return event?.type === 'requested' && closedAs === 'job_not_found' ? undefined : closedAs;
}

function judgePlace({ closedAs, fold }: Walk, event: CancellationEvent): readonly EventFinding[] {
  const mayFollow = closedAs === undefined || (closedAs === 'job_not_found' && event.type === 'requested');
  const check: NextCheck = !mayFollow
    ? { kind: 'not_allowed', why: 'nothing follows a closed cancellation' }
    : fold === 'unknown'
      ? { kind: 'allowed' }
      : checkNext(fold.state, event);
  if (check.kind === 'allowed') return [];
  const { seq, type } = event;
  return [{ code: 'out_of_place', seq, what: `Event ${seq} (${type}) may not come here: ${check.why}.` }];
}

interface Judged extends Pick<Walk, 'links' | 'findings'> {
  /** Present when it is an event of this stream, in its place, with the hash that it gives. */
  readonly event: CancellationEvent | undefined;
}

function judgeEvent(name: StreamName, seq: number, links: Walk['links'], fields: StoredRecord['fields']): Judged {
  const computed = hashEvent(fields);
  const broken = (code: Finding['code'], what: string, next: Walk['links']): Judged => ({
    event: undefined,
    links: next,
    findings: [{ code, seq, what }],
  });
  if (fields['hash'] !== computed) {
    // The next event is chained to one of the two hashes: that shows whether a field or the hash was altered.
    const what = `Event ${seq} is not what was written: its fields do not give its hash.`;
    return broken('altered', what, [String(fields['hash']), computed]);
  }
  const [wrong] = judgeTexts(fields).wrong;
  if (wrong !== undefined) {
    return broken('altered', `The ${wrong} of event ${seq} is not the one that it commits to.`, [computed]);
  }
  const event = parseEvent(fields);
  if (event === undefined) {
    return broken('unreadable', `Event ${seq} agrees with its hash, but is not an event of this service.`, [computed]);
  }
  if (event.partnerId !== name.partnerId || event.jobId !== name.jobId) {
    return broken('foreign', `Event ${seq} is event ${event.seq} of ${streamKey(event)}, moved or copied here.`, 'any');
  }
  if (event.seq !== seq) {
    return broken('out_of_place', `Event ${event.seq} of this stream is in the place of event ${seq}.`, 'any');
  }
  if (links === 'any' || links.includes(event.previousHash)) return { event, links: [computed], findings: [] };
  const what =
    seq === 1
      ? 'Event 1 was rewritten together with its hash: it is not chained to the name of its stream.'
      : `Event ${seq - 1} is not the one that event ${seq} is chained to: one of the two was rewritten together with its hash.`;
  return { event, links: [computed], findings: [{ code: 'altered', seq: Math.max(1, seq - 1), what }] };
}

/** An event after the closing one is named already, and so is one that is not an event of this stream. */
function judgeWakeUp(
  { closedAs, newest }: Walk,
  stored: StoredEvent,
  { shards, nowMs }: WakeUpReader,
): readonly EventFinding[] {
  if (newest === undefined || (closedAs !== undefined && newest.type !== 'closed')) return [];
  const { wakeShard, wakeAt, seq } = stored;
  const hasNone = wakeShard === undefined && wakeAt === undefined;
  if (newest.type === 'closed') {
    const what = `Event ${seq} closes the stream, but has a wake-up: this service writes no closing event with one.`;
    return hasNone ? [] : [{ code: 'altered', seq, what }];
  }
  if (hasNone) {
    const what = `The events after event ${seq} were cut off: only a closed stream has no wake-up, and this one is open.`;
    return [{ code: 'truncated', seq, what }];
  }
  // The shard may change with their number, but the reconciler must read it.
  const isSeen = typeof wakeShard === 'string' && /^(0|[1-9]\d*)$/.test(wakeShard) && Number(wakeShard) < shards;
  const { data: at } = timestampSchema.safeParse(wakeAt);
  if (isSeen && at !== undefined) {
    const latest = toTimestamp(nowMs + LONGEST_WAKE_UP_DELAY_MS + CLOCK_SKEW_MS);
    if (at <= latest) return [];
    const late = `The wake-up of event ${seq} (${at}) is later than this service ever sets one: until then nothing looks at this stream.`;
    return [{ code: 'altered', seq, what: late }];
  }
  const what = `This log does not write a wake-up like that of event ${seq}: the reconciler would never look at this stream.`;
  return [{ code: 'altered', seq, what }];
}

function headOf(stream: string, { seq, fields }: StoredEvent): StreamHead {
  const at = fields['type'] === 'closed' ? timestampSchema.safeParse(fields['at']) : undefined;
  return { stream, seq, hash: String(fields['hash']), closedAt: at?.data };
}
