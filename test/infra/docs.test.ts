import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deadLetterQueues } from '../../infra/blueprint/bus-events.ts';
import { type FunctionDefinition, functions } from '../../infra/blueprint/functions.ts';
import { tables } from '../../infra/blueprint/tables.ts';
import { wordsOf } from '../../infra/docs/svg.ts';
import { generateDocs } from '../../infra/docs/generate-docs.ts';
import { renderCostTable } from '../bench/cost/monthly-cost.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = [
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'client/README.md',
];

describe('what is made from code', () => {
  const generated = [...generateDocs(read)];

  test.each(generated)('%s is up to date: otherwise run "npm run docs"', (path, text) => {
    expect(read(path)).toBe(text);
  });

  test('docs/costs.md has the costs as worked out', () => {
    expect(read('docs/costs.md')).toContain(`<!-- cost -->\n\n${renderCostTable()}\n<!-- /cost -->`);
  });
});

describe('the architecture picture', () => {
  const picture = read('docs/architecture.svg').replaceAll(/<\/text><text[^>]*>/g, ' ');
  const queues = [...Object.keys(deadLetterQueues), 'EventsQueue'].map(wordsOf);

  test.each([
    ...Object.keys(functions),
    ...Object.keys(tables).map(wordsOf),
    ...queues,
    'Wake-up queue',
    "Plangrep's key",
    'Sandbox table',
  ])('shows %s', (name) => {
    expect(picture).toContain(name);
  });
});

describe('docs/configuration.md', () => {
  const definitions: readonly FunctionDefinition<string>[] = Object.values(functions);
  const [, section = ''] = read('docs/configuration.md').split('## Functions');

  test('explains every variable that a function reads', () => {
    for (const variable of definitions.flatMap(({ environment }) => environment)) {
      expect(section).toContain(`\`${variable}\``);
    }
  });
});

describe('the pages', () => {
  test('README.md has at most 200 lines', () => {
    expect(read('README.md').split('\n').length).toBeLessThanOrEqual(201);
  });

  test.each(pages)('%s links to pages and headings that exist', (page) => {
    for (const [, link = ''] of read(page).matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : posix.join(posix.dirname(page), path);
      expect(existsSync(join(root, target)), `${page} links to ${link}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(read(target)), `${page} links to ${link}`).toContain(anchor);
    }
  });

  test.each(pages)('%s names files and folders that exist', (page) => {
    for (const [, path = ''] of read(page).matchAll(/`((?:functions|infra|test|client|docs)\/[\w./-]*)`/g)) {
      expect(existsSync(join(root, path)), `${page} names ${path}`).toBe(true);
    }
  });

  test.each(pages)('%s names npm scripts that exist', (page) => {
    const { scripts } = JSON.parse(read('package.json'));

    for (const [, script = ''] of read(page).matchAll(/npm run (?:--silent )?([\w:-]+)/g)) {
      expect(scripts, `${page} says npm run ${script}`).toHaveProperty([script]);
    }
  });

  test('docs/README.md lists every page of docs', () => {
    const listed = [...read('docs/README.md').matchAll(/^\| \[([\w.-]+)\]/gm)].map(([, name]) => `docs/${name}`);

    expect(listed.toSorted()).toEqual(pages.filter((page) => /^docs\/(?!README)/.test(page)).toSorted());
  });
});

/** As GitHub makes them. */
function anchorsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
