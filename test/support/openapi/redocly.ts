import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod/mini';
import type { OpenApiDocument } from '../../../infra/openapi/document.ts';
import { findBrokenAnswers } from './compare-answers.ts';

const program = new URL('../../../node_modules/@redocly/cli/bin/cli.js', import.meta.url).pathname;
const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_NOTIFICATIONS: 'true' };

/** Runs Redocly in a folder that holds these files, without its configuration and without the network. */
async function runRedocly(files: Readonly<Record<string, string>>, args: readonly string[]): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'redocly-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const options = { cwd: folder, env, maxBuffer: 100_000_000 };
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args, '--format=json'], options).catch(
      (failed: Error & { stdout: string }) => {
        if (failed.stdout === '') throw failed;
        return failed;
      },
    );
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const lintSchema = z.object({ problems: z.array(z.object({ ruleId: z.string(), message: z.string() })) });

/** What Redocly's linter finds in a description. */
export async function lint(text: string, ruleset: 'spec' | 'recommended-strict'): Promise<readonly string[]> {
  const report = await runRedocly({ 'openapi.json': text }, ['lint', 'openapi.json', `--extends=${ruleset}`]);
  return lintSchema.parse(report).problems.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

const changeSchema = z.object({
  path: z.string(),
  typeName: z.string(),
  kind: z.enum(['added', 'removed', 'modified']),
  property: z.optional(z.string()),
  verdicts: z.array(z.object({ ruleId: z.string(), message: z.string() })),
  base: z.optional(z.object({ value: z.optional(z.unknown()) })),
});
type Change = z.infer<typeof changeSchema>;

/**
 * What of a new description breaks callers of the old one, one line each. Redocly judges what is sent; added to its rules is
 * what this API promises about headers and media types. The bodies of answers are judged by `compare-answers.ts`.
 */
export async function findBreakingChanges(before: OpenApiDocument, after: OpenApiDocument): Promise<readonly string[]> {
  return [...(await judgeByRedocly(before, after)), ...findBrokenAnswers(before, after)];
}

async function judgeByRedocly(before: OpenApiDocument, after: OpenApiDocument): Promise<readonly string[]> {
  const files = { 'before.json': JSON.stringify(before), 'after.json': JSON.stringify(after) };
  const report = await runRedocly(files, ['diff', 'before.json', 'after.json', '--fail-on=none']);
  const { changes } = z.object({ changes: z.array(changeSchema) }).parse(report);
  return changes
    .filter(({ path }) => !ofAnswers.test(path))
    .flatMap((change) => {
      const messages = [...change.verdicts.map(({ message }) => message), ...judgeByOwnRules(change)];
      return messages.map((message) => `${change.path}: ${message}`);
    });
}

/** What we send: the schemas in answers and in callbacks. */
const ofAnswers = /^#\/(paths\/.*\/responses\/[^/]+|webhooks\/.*\/requestBody)\/content\/[^/]+\/schema/;

function judgeByOwnRules({ typeName, kind, property, path, base }: Change): readonly string[] {
  if (typeName === 'Header' && property === 'required' && base?.value === true) return ['Header became optional.'];
  if (typeName === 'MediaType' && kind === 'added' && path.includes('/responses/')) return ['Media type was added.'];
  return [];
}

export interface Versions {
  readonly before: OpenApiDocument;
  readonly after: OpenApiDocument;
}

/** As `findBreakingChanges`, of many pairs of documents in one run: each start of Redocly takes half a second. */
export async function findBreakingChangesOfEach(pairs: readonly Versions[]): Promise<readonly (readonly string[])[]> {
  const before = putTogether(pairs.map((pair) => pair.before));
  const after = putTogether(pairs.map((pair) => pair.after));
  const found = await judgeByRedocly(before, after);
  return pairs.map((pair, index) => [
    ...found.filter((line) => line.startsWith(`#/paths/~1case-${index}.`)),
    ...findBrokenAnswers(pair.before, pair.after),
  ]);
}

/** One document with the paths and components of all; their names keep them apart. */
function putTogether(documents: readonly OpenApiDocument[]): OpenApiDocument {
  const [first] = documents;
  if (first === undefined) throw new Error('no documents');
  const apart = documents.map((document, index): OpenApiDocument => {
    const text = JSON.stringify(document);
    return JSON.parse(text.replaceAll(/#\/components\/(schemas|headers|responses)\//g, `$&case-${index}.`));
  });
  const collect = <Part>(partsOf: (document: OpenApiDocument) => Readonly<Record<string, Part>>, prefix = '') =>
    Object.fromEntries(
      apart.flatMap((document, index) =>
        Object.entries(partsOf(document)).map(([name, part]) => [`${prefix}case-${index}.${name}`, part] as const),
      ),
    );
  return {
    ...first,
    webhooks: {},
    paths: collect(({ paths }) => paths, '/'),
    components: {
      ...first.components,
      schemas: collect(({ components }) => components.schemas),
      headers: collect(({ components }) => components.headers),
      responses: collect(({ components }) => components.responses),
    },
  };
}
