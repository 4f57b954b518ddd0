import { expect, test } from 'vitest';
import {
  externalIdSchema,
  jobIdSchema,
  partnerIdSchema,
  projectIdSchema,
  reasonSchema,
  recordedExternalIdSchema,
  recordedReasonSchema,
} from '../../functions/core/identifiers.ts';

const schemas = {
  partnerId: partnerIdSchema,
  jobId: jobIdSchema,
  projectId: projectIdSchema,
  externalId: externalIdSchema,
};

test.each(Object.entries(schemas))('a %s is a string, and required', (_, schema) => {
  const messages = [undefined, 7].map((input) => schema.safeParse(input).error?.issues.map(({ message }) => message));

  expect(messages).toEqual([['is required'], ['must be a string']]);
});

test.each(['..', 'a/b', '', 'x'.repeat(129), 'jöb'])('no job and no project has the id “%s”', (id) => {
  expect([jobIdSchema, projectIdSchema].map((schema) => schema.safeParse(id).success)).toEqual([false, false]);
});

test('a long externalId is counted in characters, not in UTF-16 units', () => {
  expect(externalIdSchema.safeParse('😀'.repeat(180)).success).toBe(true);
  expect(externalIdSchema.safeParse('😀'.repeat(181)).success).toBe(false);
});

test.each(['\ufffd', 'commande-\ufffd', '\ufffdx', 'a\ufffd\ufffd'])(
  'what a lossy decoder left is refused: “%s”',
  (text) => {
    const all = [externalIdSchema, reasonSchema, jobIdSchema, projectIdSchema, partnerIdSchema];

    expect(all.filter((schema) => schema.safeParse(text).success)).toEqual([]);
  },
);

test('what was recorded before that rule can still be read', () => {
  expect(recordedExternalIdSchema.safeParse('commande-\ufffd').success).toBe(true);
  expect(recordedReasonSchema.safeParse('d\ufffdj\ufffd vu').success).toBe(true);
  expect(recordedExternalIdSchema.safeParse('half \ud800').success).toBe(false);
});

test('a byte order mark inside a text is a character like any other', () => {
  expect(externalIdSchema.parse('\ufefforder-1')).toBe('\ufefforder-1');
});
