import * as z from 'zod/mini';
import type { StreamName } from '../cancellation/stream-key.ts';
import { jobIdSchema, type PartnerId, partnerIdSchema, type Timestamp, timestampSchema } from '../identifiers.ts';
import { parseJson } from '../parse-json.ts';
import { sha256 } from '../sha256.ts';

/** What a callback is about: a cancellation, or a request that reached no job. */
export type Subject =
  | ({ readonly kind: 'job' } & StreamName)
  | { readonly kind: 'refusal'; readonly partnerId: PartnerId; readonly at: Timestamp; readonly requestId: string };

const replaySchema = z.strictObject({
  /** The same for all that one command replays: an attempt of it on record is not made twice. */
  id: z.string().check(z.regex(/^[\w-]{1,64}$/)),
  /** Also what was delivered. Otherwise what is not delivered yet. */
  all: z.boolean(),
});
export type Replay = z.infer<typeof replaySchema>;

/**
 * A message of the callbacks queue, in JSON: a hint that there may be something to deliver. What is delivered, and whether,
 * the log says. `test` asks for a callback that tells of nothing.
 */
const callbackMessageSchema = z.union([
  z.strictObject({ partnerId: partnerIdSchema, jobId: jobIdSchema, replay: z.optional(replaySchema) }),
  z.strictObject({
    partnerId: partnerIdSchema,
    refused: z.strictObject({ at: timestampSchema, requestId: z.string().check(z.minLength(1), z.maxLength(128)) }),
    replay: z.optional(replaySchema),
  }),
  z.strictObject({ partnerId: partnerIdSchema, test: z.string().check(z.regex(/^[\w-]{1,64}$/)) }),
]);
export type CallbackMessage = z.infer<typeof callbackMessageSchema>;

export function messageAbout(subject: Subject, replay?: Replay): CallbackMessage {
  const { partnerId } = subject;
  const again = replay === undefined ? {} : { replay };
  if (subject.kind === 'job') return { partnerId, jobId: subject.jobId, ...again };
  return { partnerId, refused: { at: subject.at, requestId: subject.requestId }, ...again };
}

/** So many callbacks of one partner are delivered at the same time. */
const TURNS = 3;

/**
 * The message's group: what it shares its turn with. A group has one message at work at a time, so a job's callbacks follow one
 * another, and a partner whose endpoint is slow holds its own turns and no others.
 */
export function groupOf(message: CallbackMessage): string {
  const what = 'jobId' in message ? message.jobId : 'refused' in message ? message.refused.requestId : '';
  return `${message.partnerId}#${Number.parseInt(sha256(what).slice(0, 4), 16) % TURNS}`;
}

/** @returns undefined for a text that is not a message of this queue */
export function readCallbackMessage(body: string): CallbackMessage | undefined {
  return callbackMessageSchema.safeParse(parseJson(body)).data;
}

/** @returns undefined for a test */
export function subjectOf(message: CallbackMessage): Subject | undefined {
  const { partnerId } = message;
  if ('jobId' in message) return { kind: 'job', partnerId, jobId: message.jobId };
  return 'refused' in message ? { kind: 'refusal', partnerId, ...message.refused } : undefined;
}
