import * as z from 'zod/mini';
import { externalIdSchema, timestampSchema } from '../core/identifiers.ts';
import { closedCancellationSchema, openCancellationSchema, refusalSchema } from './answers.ts';

/**
 * The bodies of callbacks, as Standard Webhooks has them: what happened, when, and the facts. `data` is what the HTTPS door
 * answers about the same thing.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
function callback<Type extends string, Data extends z.ZodMiniType>(type: Type, data: Data) {
  return z.strictObject({
    type: z.literal(type),
    /** When it happened, not when it is sent: the same on every repeat. */
    timestamp: timestampSchema,
    data,
  });
}

/** A cancellation was closed: `data` says how. */
export const cancellationClosedSchema = callback('cancellation.closed', closedCancellationSchema);

/** A cancellation has been open for so long that the operators were alerted. It stays open, and its end follows. */
export const cancellationEscalatedSchema = callback('cancellation.escalated', openCancellationSchema);

/** A refused request, with the externalId that it asked for. */
export const refusedRequestSchema = z.strictObject({ ...refusalSchema.shape, externalId: externalIdSchema });
/** A request reached no job. */
export const cancellationRefusedSchema = callback('cancellation.refused', refusedRequestSchema);

/** What the operators' test carries. */
export const testedCallbackSchema = z.strictObject({
  /** Which test: the operators see the same id beside its result. */
  testId: z.string(),
});
/** An operator tests the address. Nothing happened. */
export const callbackTestSchema = callback('callback.test', testedCallbackSchema);

/** The body of every callback. */
export const callbackBodySchema = z.discriminatedUnion('type', [
  cancellationClosedSchema,
  cancellationEscalatedSchema,
  cancellationRefusedSchema,
  callbackTestSchema,
]);
export type CallbackBody = z.infer<typeof callbackBodySchema>;
/** What a callback can be about. */
export type CallbackType = CallbackBody['type'];
