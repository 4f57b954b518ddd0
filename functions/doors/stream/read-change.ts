import * as z from 'zod/mini';
import type { Change } from '../../core/archive/judge-change.ts';
import { type Attributes, readAttributes } from './read-attributes.ts';

/** Not a record of zod, which leaves out an attribute `__proto__`. */
const item = z.custom<Attributes>((value) => typeof value === 'object' && value !== null);

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html */
const recordSchema = z.object({
  /** Of what DynamoDB itself removed. @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html */
  userIdentity: z.optional(z.nullable(z.object({ type: z.string(), principalId: z.string() }))),
  dynamodb: z.object({
    ApproximateCreationDateTime: z.number(),
    Keys: z.object({ pk: z.object({ S: z.string() }), sk: z.object({ S: z.string() }) }),
    SequenceNumber: z.string().check(z.regex(/^\d{1,40}$/)),
    StreamViewType: z.literal('NEW_AND_OLD_IMAGES'),
    NewImage: z.optional(item),
    OldImage: z.optional(item),
  }),
});

/**
 * @param record of the cancellation log's stream, as Lambda hands it over
 * @throws TypeError for anything else: what is left out would be missing in the archive
 */
export function readChange(record: unknown): Change {
  const { data } = recordSchema.safeParse(record);
  if (data === undefined) throw new TypeError('not a record of the stream of the cancellation log');
  const { userIdentity, dynamodb } = data;
  const { Keys, SequenceNumber, ApproximateCreationDateTime, NewImage, OldImage } = dynamodb;
  return {
    partition: Keys.pk.S,
    key: Keys.sk.S,
    sequence: SequenceNumber,
    atMs: Math.floor(ApproximateCreationDateTime) * 1_000,
    before: readImage(OldImage),
    after: readImage(NewImage),
    isExpiry: userIdentity?.type === 'Service' && userIdentity.principalId === 'dynamodb.amazonaws.com',
  };
}

function readImage(image: z.infer<typeof item> | undefined): Record<string, unknown> | undefined {
  if (image === undefined) return undefined;
  const { pk: _, sk: __, ...attributes } = image;
  return readAttributes(attributes);
}
