import * as z from 'zod/mini';
import { outcomeSchema, refusedSchema } from './cancellation/events.ts';
import { jobIdSchema, partnerIdSchema, timestampSchema } from './identifiers.ts';
import type { Subject } from './callbacks/callback-message.ts';
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
  door: refusedSchema.shape.door,
});
const escalated = z.object({ partnerId: partnerIdSchema, jobId: jobIdSchema });

/** What a record of the log gives others to know. */
export interface News {
  /** What its partner is called back about. */
  readonly subject: Subject;
  /** Absent where the bus has none: for an escalation, and for a request over HTTPS, whose caller has the answer that refused it. */
  readonly announcement?: Announcement;
}

/**
 * The news in a record of the cancellation log. Every value of an announcement is text, counts too: listeners were promised
 * that while EventBridge pipes made these events. It has nothing that a partner wrote but the jobId of a refused event.
 * @param fields of the record, numbers as DynamoDB writes them
 * @param recordId the same on every repeat: a record of a refusal has no id in itself
 * @returns undefined for a record that this service does not write
 */
export function newsOf(fields: Readonly<Record<string, string>>, recordId: string): News | undefined {
  switch (fields['type']) {
    case 'closed': {
      const { data } = closed.safeParse(fields);
      if (data === undefined) return undefined;
      const { at: closedAt, begunBy: requestId, eventId: id, ...facts } = data;
      const { partnerId, jobId } = facts;
      const detail = { ...facts, closedAt, requestId, eventId: id };
      return {
        subject: { kind: 'job', partnerId, jobId },
        announcement: { detailType: announcedTypes.closed, detail },
      };
    }
    case 'escalated': {
      const { data } = escalated.safeParse(fields);
      return data && { subject: { kind: 'job', ...data } };
    }
    case 'refused': {
      const { data } = refused.safeParse(fields);
      if (data === undefined) return undefined;
      const { at, door, ...facts } = data;
      const { partnerId, requestId } = facts;
      const subject = { kind: 'refusal', partnerId, at, requestId } as const;
      if (door === 'https') return { subject };
      const detail = { ...facts, refusedAt: at, eventId: recordId };
      return { subject, announcement: { detailType: announcedTypes.refused, detail } };
    }
    case undefined:
    default:
      return undefined;
  }
}
