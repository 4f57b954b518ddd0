import * as z from 'zod/mini';
import { outcomeSchema } from '../../functions/core/cancellation/events.ts';
import {
  externalIdSchema,
  jobIdSchema,
  projectIdSchema,
  reasonSchema,
  timestampSchema,
} from '../../functions/core/identifiers.ts';
import {
  cancellationListSchema,
  cancellationSchema,
  cancellationWithTimelineSchema,
  problemSchema,
  registeredJobSchema,
  timelineEntrySchema,
} from '../../functions/contract/answers.ts';
import { cancelRequestSchema, idempotencyKeySchema, registerJobSchema } from '../../functions/contract/requests.ts';
import type { Schema } from './document.ts';
import { fieldDescriptions } from './field-descriptions.ts';

interface Component {
  readonly schema: z.ZodMiniType;
  readonly description: string;
  /** Keywords in place of what Zod makes of a check that JSON Schema has no word for, and examples. */
  readonly keywords?: Schema;
}

const noControls = String.raw`^[^\x00-\x1f\x7f-\x9f]*$`;

const words: Readonly<Record<string, Component>> = {
  ExternalId: {
    schema: externalIdSchema,
    description:
      'Your own id for a job: 1 to 180 Unicode characters (code points) without control characters, compared byte for byte. Several jobs may have the same.',
    keywords: { minLength: 1, maxLength: 180, pattern: noControls, examples: ['order-7890'] },
  },
  JobId: {
    schema: jobIdSchema,
    description: "A job's id, as Plangrep gave it.",
    keywords: { examples: ['job_01hy3m8qtn2e5r7k9p0w4x1def'] },
  },
  ProjectId: {
    schema: projectIdSchema,
    description: "A project's id, as Plangrep gave it.",
    keywords: { examples: ['proj_01hx9z4kqr8e7m3p5n6w2v0abc'] },
  },
  Reason: {
    schema: reasonSchema,
    description: 'At most 500 Unicode characters (code points) without control characters.',
    keywords: { maxLength: 500, pattern: noControls, examples: ['superseded by a newer upload'] },
  },
  IdempotencyKey: {
    schema: idempotencyKeySchema,
    description: '1 to 255 printable ASCII characters.',
    keywords: { examples: ['cancel-order-7890-1'] },
  },
  Timestamp: {
    schema: timestampSchema,
    description: 'RFC 3339, in UTC with milliseconds.',
    keywords: {
      pattern: String.raw`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$`,
      examples: ['2026-11-02T09:22:08.312Z'],
    },
  },
  Outcome: {
    schema: outcomeSchema,
    description:
      'How a cancellation ended. `cancelled`: the job is cancelled. `too_late`: the job ended another way first. `job_not_found`: Plangrep has no such job.',
  },
};

const requests: Readonly<Record<string, Component>> = {
  CancelRequest: { schema: cancelRequestSchema, description: 'Which job to cancel. Unknown fields are refused.' },
  RegisterJobRequest: {
    schema: registerJobSchema,
    description: 'Which externalId a job goes by. Unknown fields are refused.',
  },
};

const answers: Readonly<Record<string, Component>> = {
  RegisteredJob: { schema: registeredJobSchema, description: 'A job as it is registered.' },
  Cancellation: {
    schema: cancellationSchema,
    description: 'The one effort to cancel one job. Fields may be added: ignore those that you do not know.',
  },
  TimelineEntry: {
    schema: timelineEntrySchema,
    description: 'One thing that happened. Fields may be added: ignore those that you do not know.',
  },
  CancellationWithTimeline: {
    schema: cancellationWithTimelineSchema,
    description: 'A cancellation with all that is on record of it. Fields may be added.',
  },
  CancellationList: {
    schema: cancellationListSchema,
    description: 'The cancellations of the jobs behind an externalId. Empty: none of them was ever to be cancelled.',
  },
  Problem: {
    schema: problemSchema,
    description:
      'Why a request was not fulfilled: Problem Details for HTTP APIs (RFC 9457). Fields may be added: ignore those that you do not know.',
  },
};

/** Enumerations that a caller must expect to grow, which their descriptions say too. */
const growing: Readonly<Record<string, readonly string[]>> = { Problem: ['code'], TimelineEntry: ['type'] };

/** Every schema of the description by its name, from the very schemas that the functions check and promise. */
export const describeSchemas = (): Readonly<Record<string, Schema>> => {
  const components = { ...words, ...requests, ...answers };
  const registry = z.registry<{ id: string }>();
  for (const [id, { schema }] of Object.entries(components)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(
    Object.entries(components).map(([name, { description, keywords }]) => {
      const plain: Schema = JSON.parse(JSON.stringify(schemas[name]));
      const { $schema: _, $id: __, ...made } = simplify(plain, name in answers);
      const properties = made.properties && describeFields(name, made.properties);
      return [name, { description, ...made, ...(properties && { properties }), ...keywords }];
    }),
  );
};

const describeFields = (name: string, properties: Readonly<Record<string, Schema>>): Record<string, Schema> =>
  Object.fromEntries(
    Object.entries(properties).map(([field, schema]) => {
      const description = fieldDescriptions[name]?.[field];
      if (description === undefined) throw new Error(`nothing says what ${field} of ${name} means`);
      const mayGrow = growing[name]?.includes(field) === true;
      return [field, { description, ...schema, ...(mayGrow && { 'x-may-grow': true }) }];
    }),
  );

/**
 * Zod's schema without what only its own parser needs: the bounds of a safe integer, a union where two types will do.
 * An answer's objects are open: a caller that refused unknown fields would break with the first addition.
 */
const simplify = (schema: Schema, isOpen: boolean): Schema => {
  const { minimum, maximum, additionalProperties, properties, items, anyOf, ...kept } = schema;
  const alternatives = anyOf?.map((one) => simplify(one, isOpen));
  const [one, other, ...more] = alternatives ?? [];
  const isNullable = other?.type === 'null' && more.length === 0;
  if (isNullable && typeof one?.type === 'string' && one.enum === undefined)
    return { ...one, type: [one.type, 'null'] };
  return {
    ...kept,
    ...(minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER && { minimum }),
    ...(maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER && { maximum }),
    ...(alternatives && { anyOf: alternatives }),
    ...(items && { items: simplify(items, isOpen) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, simplify(of, isOpen)])),
    }),
    ...(additionalProperties !== undefined && !isOpen && { additionalProperties }),
  };
};
