import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answerHeaders } from './answer-headers.ts';
import { answers } from './answers.ts';
import { authorizer } from './authorizer.ts';
import { compression } from './compression.ts';
import { context } from './context.ts';
import { givenGateway } from './given-gateway.ts';
import { limits } from './limits.ts';
import { paths } from './paths.ts';
import { requestHeaders } from './request-headers.ts';
import { requests } from './requests.ts';

const table = { paths, requests, context, requestHeaders, answers, answerHeaders, compression, authorizer, limits };
const all = Object.values(table).flat();
const gateway = givenGateway();

describe.each(Object.entries(table))('API Gateway: %s', (_theme, rows) => {
  test.each(rows.filter(({ documented }) => documented !== undefined))('$id: $given → $documented', ({ play }) =>
    play(gateway),
  );

  test.each(rows.filter(({ documented }) => documented === undefined))('$id: $given (undocumented)', ({ play }) =>
    play(gateway),
  );
});

describe('the table', () => {
  const held = all.filter(({ documented, differs }) => documented !== undefined && differs === undefined);

  test('has at least 60 documented behaviours to which the local gateway is held', () => {
    expect(held.length).toBeGreaterThanOrEqual(60);
  });

  test('names each row once', () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  test("names a page of AWS's documentation in each row", () => {
    for (const { source } of all) {
      expect(source).toMatch(/^https:\/\/docs\.aws\.amazon\.com\/[a-z]+\/latest\/[\w./-]+\.html(#[\w-]+)?$/);
    }
  });

  test('has the same differences as docs/gateway.md, and the same behaviours that AWS does not document', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/gateway.md'), 'utf8');
    const [, differences = '', undocumented = ''] = page.split(/^## .*$/m);
    const listOf = (part: string) => [...part.matchAll(/^- \*\*([\w-]+)\*\*: (.+(?:\n {2}.+)*)$/gm)];

    expect(
      Object.fromEntries(listOf(differences).map(([, id, text = '']) => [id, text.replaceAll(/\n +/g, ' ')])),
    ).toEqual(Object.fromEntries(all.flatMap(({ id, differs }) => (differs === undefined ? [] : [[id, differs]]))));
    expect(new Set(listOf(undocumented).map(([, id]) => id))).toEqual(
      new Set(all.filter(({ documented }) => documented === undefined).map(({ id }) => id)),
    );
  });
});
