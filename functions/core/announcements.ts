import * as z from 'zod/mini';
import { outcomeSchema, refusedSchema } from './cancellation/events.ts';
import { jobIdSchema, partnerIdSchema, timestampSchema } from './identifiers.ts';
import type { DependencyUnavailable } from './report.ts';

/** What the service announces on the event bus: docs/calling.md, "Events". */
export const announcementSource = 'plangrep-cancellation';
export const announcedTypes = { closed: 'Job Cancellation Closed', refused: 'Job Cancellation Refused' } as const;

export interface Announcement {
  readonly detailType: (typeof announcedTypes)[keyof typeof announcedTypes];
  readonly detail: Readonly<Record<'partnerId' | 'jobId' | 'requestId' | 'eventId', string> & Record<string, string>>;
}

export interface EventBus {
  /** Puts up to 10 events. The bus may have taken later ones than the first that it did not take. */
  put(announcements: readonly Announcement[]): Promise<Put>;
}
/** `stopped`: the bus did not take the event at this index, or that is not certain. */
export type Put =
  | { readonly kind: 'taken' }
  | { readonly kind: 'stopped'; readonly at: number; readonly error: DependencyUnavailable };

/** What Plangrep did not say, or no request did, is an empty text. */
const given = z.pipe(
  z.optional(z.string().check(z.maxLength(128))),
  z.transform((value) => value ?? ''),
);
const eventId = z.string().check(z.minLength(1), z.maxLength(64));

const closed = z.object({
  partnerId: partnerIdSchema,
  jobId: jobIdSchema,
  outcome: outcomeSchema,
  jobStatus: given,
  pageCount: given,
  successfulPageCount: given,
  creditsDebited: given,
  at: timestampSchema,
  begunBy: given,
  eventId,
});
const refused = z.object({
  partnerId: partnerIdSchema,
  requestId: refusedSchema.shape.requestId,
  why: refusedSchema.shape.why,
  jobId: given,
  at: timestampSchema,
});

/**
 * The announcement of a record of the cancellation log. Every value is text, counts too: listeners were promised that while
 * EventBridge pipes made these events. It has nothing that a partner wrote but the jobId of a refused event.
 * @param fields of the record, numbers as DynamoDB writes them
 * @param recordId the same on every repeat: a record of a refusal has no id in itself
 * @returns undefined for a record that this service does not write
 */
export function announcementOf(fields: Readonly<Record<string, string>>, recordId: string): Announcement | undefined {
  if (fields['type'] === 'closed') {
    const { data } = closed.safeParse(fields);
    if (data === undefined) return undefined;
    const { at: closedAt, begunBy: requestId, eventId: id, ...facts } = data;
    return { detailType: announcedTypes.closed, detail: { ...facts, closedAt, requestId, eventId: id } };
  }
  if (fields['type'] === 'refused') {
    const { data } = refused.safeParse(fields);
    if (data === undefined) return undefined;
    const { at: refusedAt, ...facts } = data;
    return { detailType: announcedTypes.refused, detail: { ...facts, refusedAt, eventId: recordId } };
  }
  return undefined;
}
