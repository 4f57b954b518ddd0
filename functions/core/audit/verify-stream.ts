import type { Finding, StoredRecord, StreamHead } from './findings.ts';
import { genesisHash, hashEvent } from '../cancellation/chain.ts';
import { parseEventKey, type StreamName, streamKey } from '../cancellation/stream-key.ts';
import { type CancellationEvent, envelopeSchema, eventBodySchema } from '../cancellation/events.ts';
import { applyEvent, type CancellationState, whyNotNext } from '../cancellation/state.ts';
import { timestampSchema } from '../identifiers.ts';

export interface VerifiedStream {
  readonly findings: readonly Finding[];
  /** Absent when there is no event. */
  readonly head?: StreamHead | undefined;
}

/**
 * Recomputes the chain of one stream and names every event that is altered, missing or not where it belongs.
 *
 * Found: an edit of any field of any event, the last one too, and a field added or taken away; a gap; events swapped,
 * copied, moved or put in; events of another stream, also a whole stream under another job's keys; a cut-off end, since
 * only a closed stream loses its wake-ups; a wake-up that nobody will ever look at. A wake-up left on an older event, or
 * before a closing one, is none of it: the reconciler takes it away when it is due.
 *
 * Not to be found in the log alone, since its hashes take no secret: a forger who recomputes every hash from the event
 * that was changed to the end of its stream, who puts a whole stream in, or who adds a legal event to an open one; the
 * deletion of a whole stream together with its `joined` records; an open end that is cut off together with all that
 * followed, back to an event whose own wake-up is still there or is put back: the service then simply takes the job up
 * again. All but the changes to open streams show when the digest of the heads (`digest-heads.ts`), written down
 * before, is compared.
 * @param records the events of the stream, in any order: records whose key is `event#<number>`
 * @param shards how many shards of wake-ups the reconciler looks at
 */
export const verifyStream = (name: StreamName, records: readonly StoredRecord[], shards: number): VerifiedStream => {
  const stream = streamKey(name);
  const findings: Finding[] = [];
  const find = (code: Finding['code'], seq: number, what: string): void =>
    void findings.push({ code, stream, seq, what });

  const stored = records
    .map((record) => ({ record, seq: parseEventKey(record.key) ?? 0 }))
    .sort((a, b) => a.seq - b.seq);
  let before = 0;
  /** What the next event may be chained to; unknown after an event that is missing or in the wrong place. */
  let links: readonly string[] | undefined = [genesisHash(name)];
  let state: CancellationState | undefined;
  /** After a finding the state is unknown: what follows must not be blamed for what was done before it. */
  let isStateKnown = true;
  let closed: CancellationEvent | undefined;
  let newest: CancellationEvent | undefined;

  for (const { record, seq } of stored) {
    if (seq > before + 1) {
      const what = seq === before + 2 ? `Event ${before + 1} is` : `Events ${before + 1} to ${seq - 1} are`;
      find('missing', before + 1, `${what} missing.`);
      links = undefined;
      isStateKnown = false;
    }
    before = seq;
    const { finding, event, links: next } = judgeEvent(name, seq, links, record.fields);
    links = next;
    newest = event;
    if (finding !== undefined) {
      find(...finding);
      isStateKnown = false;
    }
    if (event === undefined) continue;
    const known: boolean = isStateKnown;
    const why = closed === undefined ? known && whyNotNext(state, event) : 'nothing follows a closed cancellation';
    if (typeof why === 'string') {
      find('out_of_place', seq, `Event ${seq} (${event.type}) may not come here: ${why}.`);
      isStateKnown = false;
    } else if (known) {
      state = applyEvent(state, event);
    }
    if (event.type === 'closed') closed = event;
  }

  const last = stored.at(-1);
  if (last === undefined) return { findings };
  // What was put in after the closing event is named already.
  if (newest !== undefined && (closed ?? newest) === newest)
    findings.push(...judgeWakeUp(stream, last.record, newest, shards));
  return { findings, head: headOf(stream, last.seq, last.record) };
};

interface Judged {
  readonly finding?: readonly [code: Finding['code'], seq: number, what: string];
  /** Present when it is an event of this stream, in its place, with the hash that it gives. */
  readonly event?: CancellationEvent;
  readonly links?: readonly string[];
}

const judgeEvent = (
  name: StreamName,
  seq: number,
  links: readonly string[] | undefined,
  fields: StoredRecord['fields'],
): Judged => {
  const computed = hashEvent(fields);
  const { hash } = fields;
  if (hash !== computed) {
    // The next event is chained to one of the two: which of them tells whether a field or the hash was altered.
    const what = `Event ${seq} is not what was written: its fields do not give its hash.`;
    return { finding: ['altered', seq, what], links: [String(hash), computed] };
  }
  const event = parseEvent(fields);
  if (event === undefined) {
    const what = `Event ${seq} agrees with its hash, yet it is no event that this service writes.`;
    return { finding: ['unreadable', seq, what], links: [computed] };
  }
  if (event.partnerId !== name.partnerId || event.jobId !== name.jobId) {
    const what = `Event ${seq} is event ${event.seq} of ${streamKey(event)}, moved or copied here.`;
    return { finding: ['foreign', seq, what] };
  }
  if (event.seq !== seq) {
    const what = `Where event ${seq} belongs stands event ${event.seq} of the same stream.`;
    return { finding: ['out_of_place', seq, what] };
  }
  if (links === undefined || links.includes(event.previousHash)) return { event, links: [computed] };
  const what =
    seq === 1
      ? 'Event 1 was rewritten together with its hash: it is not chained to the name of its stream.'
      : `Event ${seq - 1} is not the one that event ${seq} is chained to: one of the two was rewritten together with its hash.`;
  return { finding: ['altered', Math.max(1, seq - 1), what], event, links: [computed] };
};

const parseEvent = (fields: StoredRecord['fields']): CancellationEvent | undefined => {
  const body = eventBodySchema.safeParse(fields);
  const envelope = envelopeSchema.safeParse(fields);
  return body.success && envelope.success ? { ...body.data, ...envelope.data } : undefined;
};

const judgeWakeUp = (
  stream: string,
  { wakeShard, wakeAt }: StoredRecord,
  { type, seq }: CancellationEvent,
  shards: number,
): readonly Finding[] => {
  const hasNone = wakeShard === undefined && wakeAt === undefined;
  if (type === 'closed') {
    const what = `Event ${seq} closes the stream, yet it has a wake-up: no closing event is written with one.`;
    return hasNone ? [] : [{ code: 'altered', stream, seq, what }];
  }
  if (hasNone) {
    const what = `Whatever followed event ${seq} was cut off: only a closed stream has no wake-up, and this one is open.`;
    return [{ code: 'truncated', stream, seq, what }];
  }
  // Which shard it is may change with their number; that somebody looks at it may not.
  const isSeen = typeof wakeShard === 'string' && /^(0|[1-9]\d*)$/.test(wakeShard) && Number(wakeShard) < shards;
  if (isSeen && timestampSchema.safeParse(wakeAt).success) return [];
  const what = `The wake-up of event ${seq} is none that the log writes: nobody would ever look at this open stream.`;
  return [{ code: 'altered', stream, seq, what }];
};

const headOf = (stream: string, seq: number, { fields }: StoredRecord): StreamHead => {
  const at = fields['type'] === 'closed' ? timestampSchema.safeParse(fields['at']) : undefined;
  return { stream, seq, hash: String(fields['hash']), closedAt: at?.data };
};
