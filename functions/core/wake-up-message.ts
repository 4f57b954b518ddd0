import * as z from 'zod/mini';
import { jobIdSchema, partnerIdSchema, timestampSchema } from './identifiers.ts';
import { parseJson } from './parse-json.ts';
import type { WakeUp } from './ports.ts';

/** A message of the wake-up queue, in JSON: a hint that a wake-up is due. What is done, and whether, the stream says. */
const wakeUpMessageSchema = z.strictObject({
  partnerId: partnerIdSchema,
  jobId: jobIdSchema,
  seq: z.int().check(z.positive()),
  wakeAt: timestampSchema,
});

export function writeWakeUpMessage({ partnerId, jobId, seq, wakeAt }: WakeUp): string {
  return JSON.stringify({ partnerId, jobId, seq, wakeAt } satisfies z.infer<typeof wakeUpMessageSchema>);
}

/** @returns undefined for a text that {@link writeWakeUpMessage} does not write */
export function readWakeUpMessage(body: string): WakeUp | undefined {
  return wakeUpMessageSchema.safeParse(parseJson(body)).data;
}
