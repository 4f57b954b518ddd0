import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod/mini';

const messageSchema = z.object({
  messageId: z.string(),
  body: z.string(),
  /** Milliseconds since 1970, like all times here. */
  sentAt: z.number(),
  firstReceivedAt: z.optional(z.number()),
  receives: z.number(),
  /** Handed out to nobody before. */
  visibleAt: z.number(),
});
export type Message = z.infer<typeof messageSchema>;

/** A queue and its DLQ, each oldest first. */
export interface Messages {
  readonly queue: readonly Message[];
  readonly dlq: readonly Message[];
}
const messagesSchema = z.object({ queue: z.array(messageSchema), dlq: z.array(messageSchema) });

/**
 * What the run before left, or nothing.
 * @param path a JSON file; without one nothing is kept
 * @throws when the file is there but holds something else
 */
export const readMessages = (path: string | undefined): Messages =>
  path === undefined || !existsSync(path)
    ? { queue: [], dlq: [] }
    : messagesSchema.parse(JSON.parse(readFileSync(path, 'utf8')));

/** Written beside and moved over, so that a killed process leaves the old state or the new one. */
export const writeMessages = (path: string | undefined, messages: Messages): void => {
  if (path === undefined) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(messages));
  renameSync(`${path}.new`, path);
};
