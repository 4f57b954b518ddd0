import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentationRoutes } from '../../../infra/blueprint/api.ts';
import { startTestRun, type TestRun } from '../../support/local-run.ts';

const description: unknown = JSON.parse(
  readFileSync(new URL('../../../functions/contract/openapi.json', import.meta.url), 'utf8'),
);

describe('The documentation', () => {
  let run: TestRun;
  beforeAll(async () => {
    run = await startTestRun();
  });
  afterAll(() => run.close());

  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(run.baseUrl + path, { headers, redirect: 'manual' });
  /** What a page refers to, with what its scripts import. */
  const assetsOf = async (page: string): Promise<string[]> => {
    const texts = [await (await get(page)).text()];
    const paths = new Set<string>();
    for (const text of texts) {
      for (const [, name] of text.matchAll(/["'](?:\.\/docs|\.)\/([\w-]+-[\w-]{16}\.(?:css|js))["']/g)) {
        if (paths.has(`/docs/${name}`)) continue;
        paths.add(`/docs/${name}`);
        texts.push(await (await get(`/docs/${name}`)).text());
      }
    }
    return [...paths];
  };

  test.each(['/', '/docs', '/openapi.json', '/problems', '/problems/job_not_found'])(
    '%s needs no credential, and runs nothing from another origin',
    async (path) => {
      const { status, headers } = await get(path);

      expect(status).toBe(200);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self';");
      expect(headers.get('content-security-policy')).not.toMatch(/https?:|unsafe|script-src[^;]*data:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('public, no-cache');
    },
  );

  test('serves exactly the committed OpenAPI description', async () => {
    const answer = await get('/openapi.json');

    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answer.json()).toEqual(description);
  });

  test('serves the assets of a page, to be cached for ever', async () => {
    const assets = new Set([...(await assetsOf('/')), ...(await assetsOf('/docs'))]);

    expect([...assets].map((path) => path.replace(/-[\w-]{16}\./, '.')).toSorted()).toEqual([
      '/docs/copy-code.js',
      '/docs/design.css',
      '/docs/keep-credential.js',
      '/docs/name-address.js',
      '/docs/reference.css',
      '/docs/show-answer.js',
      '/docs/try-operation.js',
      '/docs/write-code.js',
    ]);
    for (const path of assets) {
      const { status, headers } = await get(path);

      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('content-type')).toMatch(path.endsWith('.css') ? /^text\/css/ : /^text\/javascript/);
    }
  });

  test('is not sent again to a client that has it', async () => {
    const first = await get('/docs');
    const etag = first.headers.get('etag') ?? '';

    const again = await get('/docs', { 'If-None-Match': `W/"another", ${etag}` });
    const other = await get('/docs', { 'If-None-Match': 'W/"another"' });

    expect(etag).toMatch(/^W\/"[\w-]{16}"$/);
    expect([again.status, await again.text(), other.status]).toEqual([304, '', 200]);
  });

  test.each([
    ['gzip, br', 'gzip'],
    ['deflate', 'deflate'],
    // API Gateway compresses only for a coding that is named.
    ['*', null],
    ['identity', null],
    ['gzip;q=0', null],
    ['br', null],
  ])('is compressed for Accept-Encoding %j: %s', async (accepted, encoding) => {
    const answer = await get('/openapi.json', { 'Accept-Encoding': accepted });

    expect(answer.headers.get('content-encoding')).toBe(encoding);
    expect(await answer.json()).toEqual(description);
  });

  test.each(['/problems/no_such_problem', '/problems/__proto__/', '/docs/none.js', '/docs/none.js/', '/docs/a/b'])(
    '%s does not exist',
    async (path) => {
      const answer = await get(path);

      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ code: 'route_not_found', status: 404 });
    },
  );

  test.each([
    ['/docs/', '/docs'],
    ['/problems/', '/problems'],
    ['/problems/forbidden/', '/problems/forbidden'],
  ])('%s leads to %s, where the relative links of the page are right', async (path, to) => {
    const first = await fetch(run.baseUrl + path, { redirect: 'manual' });
    const { status, url } = await fetch(run.baseUrl + path);

    expect(first.status).toBe(308);
    expect([status, url]).toEqual([200, run.baseUrl + to]);
  });

  test.each(['/problems/no_such_problem', '/problems/no_such_problem/', '/docs/none.js'])(
    '%s shows a person a page that leads back',
    async (path) => {
      const answer = await get(path, { Accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' });
      const links = [...(await answer.text()).matchAll(/<a href="([^"#]+)"/g)].map(([, href]) => href ?? '');

      expect(answer.status).toBe(404);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      const paths = new Set(links.map((href) => new URL(href, run.baseUrl + path).pathname));
      expect(paths).toEqual(new Set(['/', '/docs', '/problems', '/openapi.json']));
    },
  );

  test('accepts only GET, and says so', async () => {
    for (const { path } of documentationRoutes) {
      const answer = await fetch(run.baseUrl + path, { method: 'POST' });

      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
      expect(await answer.json()).toMatchObject({ code: 'method_not_allowed', status: 405 });
    }
  });
});
