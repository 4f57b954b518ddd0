import * as z from 'zod/mini';
import { cancelRequestSchema, registerJobEventSchema } from '../../contract/requests.ts';
import { foreignTimestampSchema, type PartnerId, partnerIdSchema } from '../../core/identifiers.ts';

const common = {
  partnerId: partnerIdSchema,
  /** A UUID in EventBridge; in any case nothing that a decoder could have changed. */
  id: z.string().check(z.regex(/^[\x20-\x7e]{1,128}$/, 'must be 1 to 128 printable ASCII characters')),
  /** Whole seconds in EventBridge; here with milliseconds, so that times compare as text. */
  time: foreignTimestampSchema,
};

/**
 * An EventBridge event as the partner's rule forwards it: the rule's input transformer adds the partner, so nothing in
 * `detail` can claim to be another one (Amazon EventBridge User Guide, Input transformation). The details are the HTTPS
 * door's requests.
 */
export const envelopeSchema = z.discriminatedUnion('detailType', [
  z.strictObject({ ...common, detailType: z.literal('Job Cancellation Requested'), detail: cancelRequestSchema }),
  z.strictObject({ ...common, detailType: z.literal('Job Registered'), detail: registerJobEventSchema }),
]);
export type EventEnvelope = z.infer<typeof envelopeSchema>;

/** An event that this service will never understand, however often it is delivered. */
export interface MalformedEvent {
  readonly kind: 'malformed';
  /** Whose rule matched, and the event's id: absent when they are malformed themselves. */
  readonly partnerId: PartnerId | undefined;
  readonly eventId: string | undefined;
  /** The field that is wrong: `detail.externalId`. Only names that this service knows, never a value. */
  readonly path: string;
  /** What is wrong with it, in this service's words. */
  readonly what: string;
}

/** The body of a message as an event, or what is wrong with it. */
export function readEvent(body: string): { readonly kind: 'event'; readonly event: EventEnvelope } | MalformedEvent {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { kind: 'malformed', ...beginningOf(body), path: '', what: 'is not JSON' };
  }
  const { success, data, error } = envelopeSchema.safeParse(value);
  if (success) return { kind: 'event', event: data };
  const [issue] = error.issues;
  return {
    kind: 'malformed',
    partnerId: knownSchema.partnerId.safeParse(value).data?.partnerId,
    eventId: knownSchema.id.safeParse(value).data?.id,
    path: issue?.path.join('.') ?? '',
    what: issue === undefined || issue.code === 'unrecognized_keys' ? 'has a field that is not known' : issue.message,
  };
}

/**
 * Whose event a text is that is not JSON. The rule's template begins with the partner, then comes the event's id; what the
 * partner wrote comes behind them, so nothing of it can stand there.
 */
const beginning = /^\{"partnerId":"(?<partnerId>[^"\\]*)"(?:,"id":"(?<id>[^"\\]*)")?/;

function beginningOf(body: string): Pick<MalformedEvent, 'partnerId' | 'eventId'> {
  const { partnerId, id } = beginning.exec(body)?.groups ?? {};
  return { partnerId: common.partnerId.safeParse(partnerId).data, eventId: common.id.safeParse(id).data };
}

/** Of an event that is malformed elsewhere. */
const knownSchema = { partnerId: z.object({ partnerId: common.partnerId }), id: z.object({ id: common.id }) };
