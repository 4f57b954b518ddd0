import * as z from 'zod/mini';
import { partnerIdSchema, toTimestamp } from '../../core/identifiers.ts';
import { cancelRequestSchema, registerJobEventSchema } from '../../contract/requests.ts';

/**
 * An EventBridge event as the partner's rule hands it on: the rule's input transformer puts the partner beside it, so
 * nothing in `detail` can claim another one (Amazon EventBridge User Guide, Input transformation). The details are the
 * HTTPS door's own requests.
 */
const common = {
  partnerId: partnerIdSchema,
  id: z.string().check(z.minLength(1), z.maxLength(128)),
  /** Whole seconds in EventBridge; here with milliseconds, to compare as text. */
  time: z.pipe(
    z.iso.datetime({ offset: true }),
    z.transform((time) => toTimestamp(Date.parse(time))),
  ),
};

export const envelopeSchema = z.discriminatedUnion('detailType', [
  z.strictObject({ ...common, detailType: z.literal('Job Cancellation Requested'), detail: cancelRequestSchema }),
  z.strictObject({ ...common, detailType: z.literal('Job Registered'), detail: registerJobEventSchema }),
]);
export type Envelope = z.infer<typeof envelopeSchema>;
