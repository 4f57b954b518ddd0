import * as z from 'zod/mini';

/** Of a string or a number: a number is text too, as DynamoDB writes it. Other attributes are left out. */
const textSchema = z.union([z.object({ S: z.string() }), z.object({ N: z.string() })]);

const recordSchema = z.object({
  /** The same on every repeat. */
  eventID: z.string(),
  dynamodb: z.object({ NewImage: z.record(z.string(), z.unknown()) }),
});

/** A record of the log's stream, whose item was put. */
export interface StreamedItem {
  readonly recordId: string;
  /** The item's strings and numbers. */
  readonly fields: Readonly<Record<string, string>>;
}

/** @returns undefined when it is not a record of a DynamoDB stream with a new image */
export function readRecord(record: unknown): StreamedItem | undefined {
  const { data } = recordSchema.safeParse(record);
  if (data === undefined) return undefined;
  const fields = Object.entries(data.dynamodb.NewImage).flatMap(([name, value]) => {
    const read = textSchema.safeParse(value).data;
    return read === undefined ? [] : [[name, 'S' in read ? read.S : read.N] as const];
  });
  return { recordId: data.eventID, fields: Object.fromEntries(fields) };
}
