import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';

/** What a record shows of a change, beside the item's keys. */
export type StreamView = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';

export const streamViewSchema = z.enum(['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']);

const itemSchema = z.record(z.string(), z.custom<AttributeValue>());
/** As the engine keeps it. */
export type Item = z.infer<typeof itemSchema>;

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html */
export const streamRecordSchema = z.object({
  /** The same on every delivery. */
  eventID: z.string(),
  eventName: z.enum(['INSERT', 'MODIFY', 'REMOVE']),
  eventVersion: z.literal('1.1'),
  eventSource: z.literal('aws:dynamodb'),
  awsRegion: z.string(),
  dynamodb: z.object({
    /** Whole seconds since 1970. */
    ApproximateCreationDateTime: z.number(),
    Keys: itemSchema,
    NewImage: z.optional(itemSchema),
    OldImage: z.optional(itemSchema),
    /** Sorts as text, in the order of the writes to each key. */
    SequenceNumber: z.string(),
    SizeBytes: z.number(),
    StreamViewType: streamViewSchema,
  }),
  /** Only where the time to live deleted the item. */
  userIdentity: z.optional(z.object({ type: z.literal('Service'), principalId: z.literal('dynamodb.amazonaws.com') })),
});
export type StreamRecord = z.infer<typeof streamRecordSchema>;

/** An item before and after a write; undefined: it is not there. */
export interface Change {
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  /** @default false */
  readonly isExpiry?: boolean;
}

/** Each sequence number has 21 digits, the fewest that DynamoDB has. */
const FIRST_DIGIT = '1';

export function sequenceNumberOf(position: number): string {
  return FIRST_DIGIT + String(position).padStart(20, '0');
}

export function positionOf(sequenceNumber: string): number {
  return Number(sequenceNumber.slice(FIRST_DIGIT.length));
}

/**
 * Whether a write makes a record: one that changes nothing makes none.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
 */
export function changesItem({ before, after }: Change): boolean {
  if (before === undefined || after === undefined) return before !== after;
  return !isDeepStrictEqual(comparable(before), comparable(after));
}

/** What a record says beside the change. */
export interface RecordFrame {
  readonly view: StreamView;
  /** The names of the table's key attributes. */
  readonly keys: readonly string[];
  readonly position: number;
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

export function recordOf(
  { before, after, isExpiry = false }: Change,
  { view, keys, position, region, nowMs }: RecordFrame,
): StreamRecord {
  const item = after ?? before ?? {};
  const images = {
    Keys: Object.fromEntries(Object.entries(item).filter(([name]) => keys.includes(name))),
    ...(after !== undefined && view.includes('NEW') && { NewImage: after }),
    ...(before !== undefined && view.includes('OLD') && { OldImage: before }),
  };
  return {
    eventID: randomUUID().replaceAll('-', ''),
    eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(nowMs / 1_000),
      ...images,
      SequenceNumber: sequenceNumberOf(position),
      SizeBytes: Buffer.byteLength(JSON.stringify(images)),
      StreamViewType: view,
    },
    ...(isExpiry && { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } }),
  };
}

/** Without the prototypes that the engine gives, and without the order in sets. */
function comparable(item: Item): unknown {
  return JSON.parse(JSON.stringify(item), (name, value: unknown) =>
    /^[SNB]S$/.test(name) && Array.isArray(value) ? value.map(String).toSorted() : value,
  );
}
