import * as z from 'zod/mini';
import { cursorSchema, pageLimitSchema } from '../../functions/contract/page-request.ts';
import { previewRequestSchema } from '../../functions/contract/preview-request.ts';
import { cancelRequestSchema, idempotencyKeySchema, registerJobSchema } from '../../functions/contract/requests.ts';
import { outcomeSchema } from '../../functions/core/cancellation/events.ts';
import {
  externalIdSchema,
  jobIdSchema,
  projectIdSchema,
  reasonSchema,
  timestampSchema,
} from '../../functions/core/identifiers.ts';
import { JOBS_SHOWN } from '../../functions/core/use-cases/read-cancellations.ts';
import { answers } from './describe-answers.ts';
import { callbackBodies } from './describe-callbacks.ts';
import { type Component, message } from './describe-message.ts';
import { problemComponents } from './describe-problems.ts';
import type { Schema } from './document.ts';
import { exampleCursor } from './example-cancellations.ts';
import { describeUnion, prefix, simplify, spellOutNullable } from './simplify-schema.ts';

/** U+FFFD is left to the descriptions: another pattern would count as breaking callers of the released description. */
const noControls = String.raw`^[^\x00-\x1f\x7f-\x9f]*$`;

const values: Readonly<Record<string, Component>> = {
  ExternalId: {
    schema: externalIdSchema,
    description:
      'Your own id for a job: 1 to 180 Unicode characters (code points), compared byte for byte. Control characters and U+FFFD, which stands for bytes that are not valid UTF-8, are rejected. Several jobs may have the same.',
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
    description:
      'At most 500 Unicode characters (code points). Control characters and U+FFFD, which stands for bytes that are not valid UTF-8, are rejected.',
    keywords: { maxLength: 500, pattern: noControls, examples: ['superseded by a newer upload'] },
  },
  IdempotencyKey: {
    schema: idempotencyKeySchema,
    description: '1 to 255 printable ASCII characters.',
    keywords: { examples: ['cancel-order-7890-1'] },
  },
  Preference: {
    schema: z.string(),
    description: 'Preferences of a request (RFC 7240). Those that the service does not know are ignored.',
    keywords: { examples: ['wait=10'] },
  },
  PageLimit: {
    schema: pageLimitSchema,
    description: 'How many jobs a page covers.',
    keywords: { default: JOBS_SHOWN, examples: [10] },
  },
  Cursor: {
    schema: cursorSchema,
    description: 'Where a page begins. Its content may change: use it as it is.',
    keywords: { examples: [exampleCursor] },
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

const aboutFields = 'Unknown fields are rejected. Null for a field that is not required is the same as leaving it out.';

const requests: Readonly<Record<string, Component>> = {
  CancelRequest: message(cancelRequestSchema, `Which job to cancel. ${aboutFields}`, {
    externalId: 'Which job: your own id for it.',
    jobId: 'Which of the jobs with this externalId. Needed only if several of them have not ended.',
    reason: 'Why, in your own words. Kept in the audit trail and shown in the timeline.',
  }),
  PreviewRequest: message(previewRequestSchema, 'Which cancels to preview. Unknown fields are rejected.', {
    externalIds: 'Your own ids of the jobs.',
  }),
  RegisterJobRequest: message(registerJobSchema, `The externalId of a job. ${aboutFields}`, {
    externalId: 'The id by which you will cancel the job.',
    projectId:
      'The Plangrep project of the job, for your own records: once Plangrep has confirmed the job, its word counts.',
  }),
};

/** Every schema of the description by its name, made from the schemas that the functions themselves use. */
export function describeSchemas(): Readonly<Record<string, Schema>> {
  const components = { ...values, ...requests, ...answers, ...problemComponents, ...callbackBodies };
  const registry = z.registry<{ id: string }>();
  for (const [id, { schema }] of Object.entries(components)) registry.add(schema, { id });
  const uri = (id: string): string => `${prefix}${id}`;
  const sent = z.toJSONSchema(registry, { uri, io: 'input' }).schemas;
  // What becomes of a request's fields is not described, so it need not be representable.
  const read = z.toJSONSchema(registry, { uri, io: 'output', unrepresentable: 'any' }).schemas;
  const described: Record<string, Schema> = {};
  for (const [name, component] of Object.entries(components)) {
    const plain: Schema = JSON.parse(JSON.stringify((name in requests ? sent : read)[name]));
    const { $schema: _, $id: __, ...made } = simplify(plain, !(name in requests));
    const properties = made.properties && describeFields(component, made.properties);
    const schema = { ...made, ...(properties && { properties }), ...component.keywords };
    described[name] = {
      description: component.description,
      ...(name in requests ? spellOutNullable(schema, described) : schema),
    };
  }
  for (const [name, { discriminator, keywords, description }] of Object.entries(components)) {
    if (discriminator === undefined) continue;
    const names = (described[name]?.oneOf ?? []).map(({ $ref = '' }) => $ref.slice(prefix.length));
    const valueOf = (of: string) => String(described[of]?.properties?.[discriminator]?.const);
    described[name] = {
      description,
      ...describeUnion(
        discriminator,
        names.map((of) => [valueOf(of), of]),
      ),
      ...keywords,
    };
  }
  // Nothing refers to it: the one field that has it may be null.
  const { Reason: _reason, ...shown } = described;
  return shown;
}

function describeFields(
  { fields = {}, growing = [] }: Component,
  properties: Readonly<Record<string, Schema>>,
): Readonly<Record<string, Schema>> {
  return Object.fromEntries(
    Object.entries(properties).map(([field, schema]) => [
      field,
      { description: fields[field], ...schema, ...(growing.includes(field) && { 'x-may-grow': true }) },
    ]),
  );
}
