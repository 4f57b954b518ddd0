import * as z from 'zod/mini';
import { stateFile } from '../store/state-file.ts';
import { streamViewSchema } from '../streams/stream-records.ts';

/** What a table has that the engine does not know. */
const featuresSchema = z.object({
  /** The attribute. */
  timeToLive: z.optional(z.string()),
  pointInTimeRecoveryDays: z.optional(z.number()),
  /** JSON, as it was put. */
  policy: z.optional(z.string()),
  stream: z.optional(z.object({ view: streamViewSchema, label: z.string() })),
  isProtected: z.optional(z.boolean()),
  isEncryptedByKms: z.optional(z.boolean()),
  /** The mode, by index; the table's own under an empty name. */
  contributorInsights: z.optional(z.record(z.string(), z.string())),
  restoredFrom: z.optional(z.object({ tableArn: z.string(), at: z.number() })),
});
export type Features = z.infer<typeof featuresSchema>;

/** The features of every table by its name, kept over restarts where there is a file. */
export interface KeptFeatures {
  of(table: string): Features;
  change(table: string, features: Features): void;
  forget(table: string): void;
  /** The tables that have any. */
  tables(): readonly string[];
}

/** @param path a JSON file. @default in memory */
export function keepFeatures(path: string | undefined): KeptFeatures {
  const file = stateFile(path, z.record(z.string(), featuresSchema));
  const kept = new Map(Object.entries(file.read() ?? {}));
  const save = (): void => file.write(Object.fromEntries(kept));
  return {
    of: (table) => kept.get(table) ?? {},
    change(table, features) {
      kept.set(table, { ...kept.get(table), ...features });
      save();
    },
    forget(table) {
      kept.delete(table);
      save();
    },
    tables: () => [...kept.keys()],
  };
}

const policySchema = z.object({
  Statement: z.array(
    z.object({
      Effect: z.string(),
      Action: z.union([z.string(), z.array(z.string())]),
      Condition: z.optional(z.unknown()),
    }),
  ),
});

/**
 * Whether a table's policy denies the action to everyone. Only statements without a condition are played: this endpoint
 * knows a caller's key, and neither its role nor the attributes of its call.
 */
export function denies({ policy }: Features, action: string): boolean {
  if (policy === undefined) return false;
  const { Statement } = policySchema.parse(JSON.parse(policy));
  return Statement.some(
    ({ Effect, Action, Condition }) =>
      Effect === 'Deny' && Condition === undefined && [Action].flat().includes(`dynamodb:${action}`),
  );
}
