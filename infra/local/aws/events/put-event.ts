import * as z from 'zod/mini';

const answerSchema = z.object({ Entries: z.array(z.looseObject({ EventId: z.optional(z.string()) })) });

export interface EventEntry {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  /** Seconds since 1970. @default now */
  readonly Time?: number;
}

/**
 * Publishes one event to the local endpoint, as `aws events put-events` does.
 * @returns the event's id @throws when the entry was refused
 */
export const putEvent = async (url: string, entry: EventEntry): Promise<string> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': 'AWSEvents.PutEvents' },
    body: JSON.stringify({ Entries: [entry] }),
  });
  const [result] = answerSchema.parse(await response.json()).Entries;
  if (result?.EventId === undefined) throw new Error(`the event was refused: ${JSON.stringify(result)}`);
  return result.EventId;
};
