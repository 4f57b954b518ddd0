import { CLOCK_SKEW_MS } from '../audit/findings.ts';
import { callbackSchema } from '../callbacks/callback-record.ts';
import { isDueShard } from '../callbacks/callback-shards.ts';
import { LONGEST_CALLBACK_DELAY_MS } from '../callbacks/retry-schedule.ts';
import { erasableAttributes } from '../cancellation/commitment.ts';
import { erasedSchema } from '../cancellation/erased.ts';
import { joinedSchema, parseEvent, refusedSchema } from '../cancellation/events.ts';
import { LONGEST_WAKE_UP_DELAY_MS, WAKE_SHARDS } from '../cancellation/pace.ts';
import { schedulingAttributes } from '../cancellation/stream-key.ts';
import { timestampSchema } from '../identifiers.ts';

/** An item's attributes besides its keys, as the log's stream shows them. */
export type Image = Readonly<Record<string, unknown>>;

/** A change of one item of the cancellation log, from its stream. */
export interface Change {
  /** The partition key and the sort key. */
  readonly partition: string;
  readonly key: string;
  /** A number of up to 40 digits that grows with every change of this item: the same on every delivery. */
  readonly sequence: string;
  /** When it was made, in whole seconds since 1970, as milliseconds. */
  readonly atMs: number;
  /** Absent for a new item. */
  readonly before?: Image | undefined;
  /** Absent for one that was removed. */
  readonly after?: Image | undefined;
  /** Whether DynamoDB itself removed it, because its time to live had passed. */
  readonly isExpiry: boolean;
}

/**
 * What a change is. This service makes the first four:
 *
 * - `written`: a new record.
 * - `scheduled`: a wake-up was moved or removed. It is not history, so no archive has it.
 * - `erased`: texts, and nothing else, are gone.
 * - `expired`: DynamoDB removed a record whose time had passed.
 *
 * It never makes the others:
 *
 * - `foreign`: a new item that is not a record of this service.
 * - `rewritten`: a record is no longer what was written.
 * - `removed`: a record was deleted before its time.
 * - `silenced`: a wake-up later than this service ever sets one, or one that nothing reads, so that nothing looks at the
 *   cancellation, or at the callback.
 */
export type ChangeKind = 'written' | 'scheduled' | 'erased' | 'expired' | Forgery;
export type Forgery = 'foreign' | 'rewritten' | 'removed' | 'silenced';

const ownKinds: ReadonlySet<ChangeKind> = new Set(['written', 'scheduled', 'erased', 'expired']);

/** Whether this service never makes such a change. */
export function isForgery(kind: ChangeKind): kind is Forgery {
  return !ownKinds.has(kind);
}

/** What a change is, by its images, and by whether DynamoDB itself removed the item: the stream names no other writer. */
export function judgeChange({ before, after, atMs, isExpiry }: Change): ChangeKind {
  if (after === undefined) return isExpiry && wasDue(before, atMs) ? 'expired' : 'removed';
  if (before === undefined && !isRecord(after)) return 'foreign';
  if (isSilenced(after, atMs)) return 'silenced';
  if (before === undefined) return 'written';
  const changed = new Set(Object.keys({ ...before, ...after }).filter((name) => !isSame(before, after, name)));
  if (changed.isSubsetOf(scheduling)) return 'scheduled';
  const isErasure = changed.isSubsetOf(erasable) && [...changed].every((name) => after[name] === undefined);
  return isErasure ? 'erased' : 'rewritten';
}

/** Values are texts, numbers, and lists of texts. An attribute may be called `__proto__`. */
function isSame(before: Image, after: Image, name: string): boolean {
  const [a, b] = [before, after].map((image) => (Object.hasOwn(image, name) ? JSON.stringify(image[name]) : undefined));
  return a === b;
}

const scheduling: ReadonlySet<string> = new Set(schedulingAttributes);
const erasable: ReadonlySet<string> = new Set(erasableAttributes);

function isRecord(image: Image): boolean {
  const schemas = {
    joined: joinedSchema,
    refused: refusedSchema,
    erased: erasedSchema,
    callback: callbackSchema,
  } as const;
  const beside = Object.entries(schemas).find(([type]) => type === image['type'])?.[1];
  return beside === undefined ? parseEvent(image) !== undefined : beside.safeParse(image).success;
}

function isSilenced({ type, partnerId, wakeAt, wakeShard }: Image, atMs: number): boolean {
  if (wakeAt === undefined && wakeShard === undefined) return false;
  const { data } = timestampSchema.safeParse(wakeAt);
  if (data === undefined) return true;
  const isLaterThan = (delayMs: number): boolean => Date.parse(data) > atMs + delayMs + CLOCK_SKEW_MS;
  if (type === 'callback') {
    // What is kept for a replay is found whatever its time.
    if (wakeShard === `kept#${String(partnerId)}`) return false;
    return !isDueShard(wakeShard) || isLaterThan(LONGEST_CALLBACK_DELAY_MS);
  }
  // The index has only what has both, and the reconciler reads these shards.
  const isRead = typeof wakeShard === 'string' && /^(0|[1-9]\d*)$/.test(wakeShard) && Number(wakeShard) < WAKE_SHARDS;
  return !isRead || isLaterThan(LONGEST_WAKE_UP_DELAY_MS);
}

/** The attribute is the log's time to live, in seconds since 1970. */
function wasDue(before: Image | undefined, atMs: number): boolean {
  const seconds = before?.['deleteAfter'];
  return typeof seconds === 'number' && seconds * 1_000 <= atMs + CLOCK_SKEW_MS;
}
