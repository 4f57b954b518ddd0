import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LEASE_MS } from '../functions/core/cancellation/pace.ts';
import { functions } from '../infra/blueprint/functions.ts';
import { CORE, coreViolations, roomOf, rules, violations } from './support/import-rules.ts';
import { COMPUTED, findCycles, listFiles, readSources } from './support/imports.ts';

const root = join(import.meta.dirname, '..');
const sources = readSources('functions', 'infra', 'client');

describe('the import rules', () => {
  test('the core imports neither doors, adapters, AWS nor HTTP, nor anything that does', () => {
    expect([...sources.keys()].some((file) => file.startsWith(CORE))).toBe(true);
    expect(coreViolations(sources)).toEqual([]);
  });

  test.each(rules)('$title', (rule) => {
    expect([...sources.keys()].some((file) => rule.room.test(file))).toBe(true);
    expect(violations(rule, sources)).toEqual([]);
  });

  test('no two rooms import each other', () => {
    expect(findCycles(sources, roomOf)).toEqual([]);
  });
});

describe('the sizes', () => {
  const files = ['functions', 'infra', 'client'].flatMap(listFiles);
  const filesIn = (folder: string) => files.filter((file) => posix.dirname(file) === folder);

  test('no folder has more than 15 files', () => {
    const folders = [...new Set(files.map((file) => posix.dirname(file)))];

    expect(folders.filter((folder) => filesIn(folder).length > 15)).toEqual([]);
  });

  test('infra has at most 3 loose files', () => {
    expect(filesIn('infra').length).toBeLessThanOrEqual(3);
  });
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
    const found = core("import { a } from '../a.ts';", {
      'functions/a.ts': "import { b } from './adapters/b.ts';",
      'functions/adapters/b.ts': "import '@aws-sdk/client-dynamodb';",
      'functions/unreached.ts': "import 'node:https';",
    });

    expect(found).toEqual([
      'functions/core/fake.ts imports ../a.ts',
      'functions/a.ts imports ./adapters/b.ts',
      'functions/adapters/b.ts imports @aws-sdk/client-dynamodb',
    ]);
  });

  test('lets the core import zod/mini, node:crypto and itself, and mention anything', () => {
    const found = core(
      `import * as z from 'zod/mini';
       import { createHash } from 'node:crypto';
       import type { Other } from './other.ts';
       // import 'node:https'
       const text = "import 'aws-lambda'";
       export const local = 1;`,
      { 'functions/core/other.ts': '' },
    );

    expect(found).toEqual([]);
  });

  /** For each rule a file, with an import that it may have and those that it may not have. */
  const examples: Readonly<Record<string, { file: string; allowed: string; caught: readonly string[] }>> = {
    'the functions never import what builds, deploys or tests them': {
      file: 'functions/fake.ts',
      allowed: './core/identifiers.ts',
      caught: ['../infra/tables.ts', '../test/support/fake.ts', '../package.json', '/etc/hosts', '#infra'],
    },
    'the contract imports the core and no door': {
      file: 'functions/contract/fake.ts',
      allowed: '../core/identifiers.ts',
      caught: ['../doors/http/serve.ts', '../adapters/aws-clients.ts', 'zod'],
    },
    'doors import no adapters': {
      file: 'functions/doors/http/fake.ts',
      allowed: '../../contract/problems.ts',
      caught: ['../../adapters/aws-clients.ts', '../../compose/surroundings.ts', '../../simulator/sandbox-jobs.ts'],
    },
    'adapters import no doors': {
      file: 'functions/adapters/fake.ts',
      allowed: '../core/ports.ts',
      caught: [
        '../doors/http/serve.ts',
        '../contract/problems.ts',
        '../compose/surroundings.ts',
        '../pages/serve-documentation.ts',
      ],
    },
    'the blueprint imports no CDK, and nothing else of infra': {
      file: 'infra/blueprint/fake.ts',
      allowed: '../../functions/core/identifiers.ts',
      caught: ['aws-cdk-lib', 'aws-cdk-lib/aws-logs', 'constructs', '../stacks/checks.ts', '../app.ts'],
    },
    'the build imports nothing of the local run, the commands or the scenes': {
      file: 'infra/build/fake.ts',
      allowed: '../blueprint/functions.ts',
      caught: ['../local/seeds.ts', '../cli/ops.ts', '../scenes/stories.ts', '../constructs/sandbox.ts'],
    },
    'the emulated AWS services import nothing of ours': {
      file: 'infra/local/aws/events/fake.ts',
      allowed: '../dynamodb.ts',
      caught: ['../../local-run.ts', '../../../blueprint/tables.ts', '../../../../functions/core/identifiers.ts'],
    },
    'the stacks import nothing of the local run, the commands or the scenes': {
      file: 'infra/constructs/api/fake.ts',
      allowed: 'aws-cdk-lib',
      caught: ['../../local/seeds.ts', '../../cli/ops.ts', '../../scenes/stories.ts'],
    },
    'only commands import commands': {
      file: 'infra/scenes/fake.ts',
      allowed: '../local/local-run.ts',
      caught: ['../cli/terminal.ts'],
    },
    'what runs beside AWS’s credentials imports only Node': {
      file: 'infra/deploy/fake.ts',
      allowed: './aws-cli.ts',
      caught: ['zod/mini', '@aws-sdk/client-cloudformation', '../cli/terminal.ts', '../blueprint/tables.ts'],
    },
    'infra imports no tests': {
      file: 'infra/docs/fake.ts',
      allowed: '../blueprint/access/roles.ts',
      caught: ['../../test/bench/options.ts'],
    },
    'the client imports only itself': {
      file: 'client/src/fake.ts',
      allowed: './clock.ts',
      caught: ['../../functions/contract/problems.ts', '../../test/support/names.ts'],
    },
  };

  test.each(rules)('knows what it means that $title', (rule) => {
    const { file, allowed, caught } = examples[rule.title] ?? { file: '', allowed: '', caught: [] };
    const importing = (specifier: string) => violations(rule, new Map([[file, `import x from '${specifier}';`]]));

    expect(importing(allowed)).toEqual([]);
    expect(caught.flatMap(importing)).toEqual(caught.map((specifier) => `${file} imports ${specifier}`));
    expect(caught).not.toEqual([]);
  });

  test('finds rooms that import each other, however long the way, and files that are rooms by themselves', () => {
    const importing = (target: string) => `import '${target}';`;
    const all = new Map([
      ['infra/a/one.ts', importing('../b/two.ts')],
      ['infra/b/two.ts', importing('../c/three.ts') + importing('./other.ts')],
      ['infra/b/other.ts', ''],
      ['infra/c/three.ts', importing('../a/four.ts')],
      ['infra/a/four.ts', ''],
      ['infra/d/five.ts', importing('../a/one.ts')],
      ['functions/core/ports.ts', importing('./cancellation/events.ts')],
      ['functions/core/cancellation/events.ts', importing('../identifiers.ts')],
      ['functions/core/identifiers.ts', ''],
    ]);

    expect(findCycles(all, roomOf)).toEqual(['infra/a <-> infra/b <-> infra/c']);
  });
});

describe.each(Object.entries(functions))('the function %s', (name) => {
  test('has its entry file, at most 60 lines long', () => {
    const path = join(root, 'functions', `${name}.ts`);

    expect(existsSync(path), `functions/${name}.ts exists`).toBe(true);
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(60);
  });
});

test('every function ends before a claim does, except the sealer, which works on no cancellation', () => {
  const tooLong = Object.entries(functions).filter(([, { timeoutSeconds }]) => timeoutSeconds * 1000 >= LEASE_MS);

  expect(tooLong.map(([name]) => name)).toEqual(['seal-archive']);
});

test('every file at the top of functions/ is a function that is deployed, or loaded first', () => {
  const others = new Set(['functions/connect-first.ts']);
  const entries = [...sources.keys()].filter((file) => posix.dirname(file) === 'functions' && !others.has(file));

  expect(entries.filter((file) => !(posix.basename(file, '.ts') in functions))).toEqual([]);
});
