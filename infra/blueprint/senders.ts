import * as z from 'zod';
import { partnerIdSchema } from '../../functions/core/identifiers.ts';
import { closedEvent, eventSourceOf } from './bus-events.ts';

/** Every principal of the account that the service is in: only for trying out, so only in dev. */
const OWN_ACCOUNT = 'own-account';
const rolePattern = /^arn:aws[a-z-]*:iam::(\d{12}):role\/[\w+=,.@/-]{1,512}$/;

/** A partner that may send events. */
export const senderSchema = z.strictObject({
  partnerId: partnerIdSchema,
  /**
   * The source of the partner's events. EventBridge keeps `aws.` for itself.
   * @default - `partner.<partnerId>`
   */
  eventSource: z
    .string()
    .regex(/^(?!aws\.)[A-Za-z0-9._/-]{1,256}$/, 'must be an event source, not an AWS one')
    .exactOptional(),
  /**
   * Who alone may put events with this source: the ARN of the partner's role, or its account (12 digits), of which then
   * every principal may. `own-account`, in dev alone: every principal of the account that the service is in.
   */
  principal: z
    .string()
    .refine(
      (value) => value === OWN_ACCOUNT || /^\d{12}$/.test(value) || rolePattern.test(value),
      `must be the ARN of a role, an account of 12 digits, or ${OWN_ACCOUNT}`,
    ),
});
export type Sender = z.input<typeof senderSchema>;

export function sourceOf({ partnerId, eventSource }: Omit<Sender, 'principal'>): string {
  return eventSource ?? eventSourceOf(partnerId);
}

/** @returns the account that a partner's events come from, as the event's `account` names it */
export function accountOf({ principal }: Pick<Sender, 'principal'>, ownAccountId: string): string {
  if (principal === OWN_ACCOUNT) return ownAccountId;
  return rolePattern.exec(principal)?.[1] ?? principal;
}

/** @returns the ARN of the one role that may send as this partner; undefined where a whole account may */
export function roleOf({ principal }: Pick<Sender, 'principal'>): string | undefined {
  return rolePattern.test(principal) ? principal : undefined;
}

/** Why these senders cannot be told apart, one reason each. */
export function* contradictionsOfSenders(environment: string, senders: readonly Sender[]): Generator<string> {
  const sources = senders.map(sourceOf);
  if (new Set(sources).size < sources.length) yield 'must not bind two partners to one event source';
  if (sources.includes(closedEvent.source)) yield "must not give a partner the source of this service's own events";
  const ids = senders.map(({ partnerId }) => partnerId);
  if (new Set(ids).size < ids.length) yield 'must not name a partner twice';
  if (environment !== 'dev' && senders.some(({ principal }) => principal === OWN_ACCOUNT)) {
    yield `must not have the principal ${OWN_ACCOUNT} outside dev`;
  }
  const isShared = senders.some((one) =>
    senders.some(
      (other) =>
        one !== other &&
        (one.principal === other.principal ||
          (roleOf(one) === undefined && accountOf(one, OWN_ACCOUNT) === accountOf(other, OWN_ACCOUNT))),
    ),
  );
  if (isShared) yield 'must not let one principal send as two partners: name a role for each';
}
