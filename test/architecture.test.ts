import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAst } from 'vitest/node';
import { LEASE_MS } from '../functions/core/cancellation/pace.ts';
import { functions } from '../infra/blueprint/functions.ts';

const root = join(import.meta.dirname, '..');

/** Paths are relative to the project, with forward slashes: `functions/core/cancellation/events.ts`. */
type Sources = ReadonlyMap<string, string>;

const readSources = (folder: string): Sources =>
  new Map(
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.[cm]?[jt]s$/.test(path))
      .map((path) => [posix.join(folder, path.replaceAll('\\', '/')), readFileSync(join(root, folder, path), 'utf8')]),
  );

/** What stands for a module whose name is worked out at run time: nothing allows it. */
const COMPUTED = '<computed>';

/**
 * Every module that a source names: imports and re-exports, of types too, `import()` in code and in types, and the two
 * ways around them, `require` and `process.getBuiltinModule`. Read off the syntax tree, so a comment or a text is none.
 */
const moduleSpecifiers = (source: string): readonly string[] => {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if (isRecord(node)) found.push(...namedModules(node));
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(source, { lang: 'ts', sourceType: 'module' }));
  return found;
};

const namedModules = (node: Readonly<Record<string, unknown>>): readonly string[] => {
  switch (node['type']) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return [literalText(node['source'])];
    case 'ExportNamedDeclaration':
      return node['source'] === null ? [] : [literalText(node['source'])];
    case 'TSExternalModuleReference':
      return [literalText(node['expression'])];
    case 'CallExpression':
      return ['require', 'getBuiltinModule'].includes(calledName(node['callee']))
        ? [literalText(Array.isArray(node['arguments']) ? node['arguments'][0] : undefined)]
        : [];
    default:
      return [];
  }
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const literalText = (node: unknown): string =>
  isRecord(node) && typeof node['value'] === 'string' ? node['value'] : COMPUTED;

/** `f` of `f()`, `a.f()`, `a['f']()`. */
const calledName = (callee: unknown): string => {
  if (!isRecord(callee)) return '';
  const name = callee['type'] === 'MemberExpression' ? callee['property'] : callee;
  if (!isRecord(name)) return '';
  return typeof name['name'] === 'string' ? name['name'] : literalText(name);
};

/** The project's file that a relative specifier means; undefined for a package, a built-in or an absolute path. */
const targetOf = (file: string, specifier: string): string | undefined =>
  specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : undefined;

const CORE = 'functions/core/';
const ALLOWED_IN_CORE = new Set(['zod/mini', 'node:crypto']);

/**
 * Follows the imports of every file of the core, through whatever files of `functions/` they lead to.
 * @returns one line for each import that the core, or what it reaches, may not have
 */
const coreViolations = (sources: Sources): readonly string[] => {
  const reached = new Set([...sources.keys()].filter((file) => file.startsWith(CORE)));
  const violations: string[] = [];
  // A set yields what is added to it on the way.
  for (const file of reached) {
    for (const specifier of moduleSpecifiers(sources.get(file) ?? '')) {
      const target = targetOf(file, specifier);
      if (target !== undefined && sources.has(target)) reached.add(target);
      const allowed = target === undefined ? ALLOWED_IN_CORE.has(specifier) : target.startsWith(CORE);
      if (!allowed) violations.push(`${file} imports ${specifier}`);
      else if (target !== undefined && !sources.has(target)) violations.push(`${file} imports ${specifier}, no file`);
    }
  }
  return violations;
};

/** @returns one line for each import that leads out of `functions/` */
const leavingViolations = (sources: Sources): readonly string[] =>
  [...sources].flatMap(([file, source]) =>
    moduleSpecifiers(source)
      .filter((specifier) => {
        const target = targetOf(file, specifier);
        return target === undefined ? /^(\/|file:|#)|^<computed>$/.test(specifier) : !target.startsWith('functions/');
      })
      .map((specifier) => `${file} imports ${specifier}`),
  );

const sources = readSources('functions');

test('the core imports neither AWS nor HTTP, nor anything that does', () => {
  expect([...sources.keys()].some((file) => file.startsWith(CORE))).toBe(true);
  expect(coreViolations(sources)).toEqual([]);
});

test('the functions never import what builds, deploys or tests them', () => {
  expect(leavingViolations(sources)).toEqual([]);
});

describe('the check itself', () => {
  const core = (source: string, others: Record<string, string> = {}) =>
    coreViolations(new Map(Object.entries({ 'functions/core/fake.ts': source, ...others })));

  test.each([
    ["import { DynamoDBClient } from '@aws-sdk/client-dynamodb';", '@aws-sdk/client-dynamodb'],
    ["import type { Context } from 'aws-lambda';", 'aws-lambda'],
    ["import { type APIGatewayProxyEvent } from 'aws-lambda';", 'aws-lambda'],
    ["type Event = import('aws-lambda').SQSEvent;", 'aws-lambda'],
    ["const https = await import('node:https');", 'node:https'],
    ['const https = await import(`node:https`);', COMPUTED],
    ["import http = require('node:http');", 'node:http'],
    ["const http = require('node:http');", 'node:http'],
    ["const http = process.getBuiltinModule('http');", 'http'],
    ["import 'node:net';", 'node:net'],
    ["export { problem } from '../http/problems.ts';", '../http/problems.ts'],
    ["export type * from '../adapters/plangrep.ts';", '../adapters/plangrep.ts'],
    ["import { tables } from '../infra/blueprint/tables.ts';", '../infra/blueprint/tables.ts'],
    ["import * as z from 'zod';", 'zod'],
  ])('catches %s in the core', (source, specifier) => {
    expect(core(source)).toEqual([`functions/core/fake.ts imports ${specifier}`]);
  });

  test('follows imports beyond the core, and names every wrong one on the way', () => {
    const violations = core("import { a } from '../a.ts';", {
      'functions/a.ts': "import { b } from './adapters/b.ts';",
      'functions/adapters/b.ts': "import '@aws-sdk/client-dynamodb';",
      'functions/unreached.ts': "import 'node:https';",
    });

    expect(violations).toEqual([
      'functions/core/fake.ts imports ../a.ts',
      'functions/a.ts imports ./adapters/b.ts',
      'functions/adapters/b.ts imports @aws-sdk/client-dynamodb',
    ]);
  });

  test('lets the core import zod/mini, node:crypto and itself, and mention anything', () => {
    const violations = core(
      `import * as z from 'zod/mini';
       import { createHash } from 'node:crypto';
       import type { Other } from './other.ts';
       // import 'node:https'
       const text = "import 'aws-lambda'";
       export const local = 1;`,
      { 'functions/core/other.ts': '' },
    );

    expect(violations).toEqual([]);
  });

  test.each(['../infra/tables.ts', '../test/support/fake.ts', '../package.json', '/etc/hosts', '#infra'])(
    'catches an entry file that imports %s',
    (specifier) => {
      const fake = new Map([['functions/fake.ts', `import x from '${specifier}';`]]);

      expect(leavingViolations(fake)).toEqual([`functions/fake.ts imports ${specifier}`]);
    },
  );
});

describe.each(Object.entries(functions))('the function %s', (name, { timeoutSeconds }) => {
  test('has its entry file, at most 60 lines long', () => {
    const path = join(root, 'functions', `${name}.ts`);

    expect(existsSync(path), `functions/${name}.ts exists`).toBe(true);
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(60);
  });

  test('ends before a claim that it holds does', () => {
    expect(timeoutSeconds * 1000).toBeLessThan(LEASE_MS);
  });
});

test('every file at the top of functions/ is a function that is deployed, or the composition root', () => {
  const entries = [...sources.keys()].filter(
    (file) => posix.dirname(file) === 'functions' && file !== 'functions/compose.ts',
  );

  expect(entries.filter((file) => !(posix.basename(file, '.ts') in functions))).toEqual([]);
});
