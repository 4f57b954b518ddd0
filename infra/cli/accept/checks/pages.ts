import { gunzipSync } from 'node:zlib';
import { problems } from '../../../../functions/contract/problems.ts';
import { routes } from '../../../blueprint/api.ts';
import { type Check, type Fault, holds, same } from '../check.ts';
import { expectHeader, expectProblem, expectStatus } from '../expect-answer.ts';
import { type Answer, isObject } from '../send-request.ts';
import type { WebStage } from '../stage.ts';

const lookAt = 'functions/pages/serve-documentation.ts';
const notServed = { skipped: 'this environment does not serve its documentation' };

/** What every page has: it can be cached, embeds nothing foreign, and cannot be embedded. */
function expectPage(answer: Answer, contentType: string): readonly Fault[] {
  const policy = String(answer.headers['content-security-policy']);
  return [
    ...expectStatus(answer, 200),
    ...expectHeader(answer, 'content-type', `${contentType}; charset=utf-8`),
    ...expectHeader(answer, 'x-content-type-options', 'nosniff'),
    ...expectHeader(answer, 'referrer-policy', 'no-referrer'),
    ...holds(
      policy.includes("default-src 'none'") && policy.includes("frame-ancestors 'none'"),
      `header content-security-policy ${policy}`,
      "default-src 'none' and frame-ancestors 'none'",
    ),
  ];
}

/** That everything which a page refers to is there, for browsers to keep. */
async function checkAssets({ send }: WebStage, html: string): Promise<readonly Fault[]> {
  const names = [...html.matchAll(/(?:src|href)="\.\/(docs\/[\w.-]+)"/g)].map(([, name]) => name);
  const answers = await Promise.all(names.map((name) => send({ path: `/${name}` })));
  return [
    ...holds(names.length > 1, `${names.length} scripts and styles`, 'the page refers to some'),
    ...answers.flatMap((answer) => [
      ...expectStatus(answer, 200),
      ...expectHeader(answer, 'cache-control', 'public, max-age=31536000, immutable'),
    ]),
  ];
}

/** What people and programs read about the API. */
export const pageChecks: readonly Check[] = [
  {
    id: 'pages.description',
    shows: '/openapi.json has every operation; a caller that has it already gets 304',
    needs: 'https',
    lookAt,
    async run({ send, documentation }) {
      if (documentation === false) return notServed;
      const answer = await send({ path: '/openapi.json' });
      const again = await send({ path: '/openapi.json', headers: { 'If-None-Match': answer.headers.etag ?? '' } });
      const { paths } = answer.body;
      const missing = routes.filter(({ path, method }) => {
        const operations = isObject(paths) ? paths[path] : undefined;
        return !isObject(operations) || !(method.toLowerCase() in operations);
      });
      return [
        ...expectPage(answer, 'application/json'),
        ...expectHeader(answer, 'cache-control', 'public, no-cache'),
        ...same(
          'operations that are missing',
          missing.map(({ method, path }) => `${method} ${path}`),
          [],
        ),
        ...expectStatus(again, 304),
        ...same('bytes of the 304', again.bytes.length, 0),
      ];
    },
  },
  {
    id: 'pages.reference',
    shows: '/docs with its scripts and styles, which browsers may keep for ever',
    needs: 'https',
    lookAt,
    async run(stage) {
      if (stage.documentation === false) return notServed;
      const answer = await stage.send({ path: '/docs' });
      return [...expectPage(answer, 'text/html'), ...(await checkAssets(stage, answer.bytes.toString()))];
    },
  },
  {
    id: 'pages.front',
    shows: 'the front page, with its scripts and styles',
    needs: 'https',
    lookAt: 'infra/blueprint/api.ts, functions/pages/serve-documentation.ts',
    async run(stage) {
      if (stage.documentation === false) return notServed;
      const answer = await stage.send({ path: '/' });
      return [...expectPage(answer, 'text/html'), ...(await checkAssets(stage, answer.bytes.toString()))];
    },
  },
  {
    id: 'pages.problems',
    shows: "a problem's type leads to its page, for every problem",
    needs: 'https',
    lookAt: 'functions/pages/render-problems.ts, docs/deploy.md (the address of a problem)',
    async run({ send, documentation }) {
      if (documentation === false) return notServed;
      const { body } = await send({ path: '/v1/no-such-address' });
      const codes = Object.keys(problems);
      const pages = await Promise.all(codes.map((code) => send({ path: `/problems/${code}` })));
      const unknown = await send({ path: '/problems/no-such-problem' });
      return [
        ...same('type of a problem', body['type'], '/problems/route_not_found'),
        ...pages.flatMap((page, index) => [
          ...expectPage(page, 'text/html'),
          ...holds(page.bytes.includes(`<code>${codes[index]}</code>`), `a page without ${codes[index]}`, 'its code'),
        ]),
        ...expectProblem(unknown, 'route_not_found'),
      ];
    },
  },
  {
    id: 'pages.compression',
    shows: 'a large answer is compressed for a caller that accepts gzip, and for no other; a small one never',
    needs: 'https',
    lookAt: 'infra/blueprint/api.ts (compressFromBytes)',
    async run({ send, documentation }) {
      if (documentation === false) return notServed;
      const headers = { 'Accept-Encoding': 'gzip' };
      const [plain, coded] = [await send({ path: '/openapi.json' }), await send({ path: '/openapi.json', headers })];
      const small = await send({ path: '/v1/no-such-address', headers });
      const isCoded = coded.headers['content-encoding'] === 'gzip';
      return [
        ...expectHeader(coded, 'content-encoding', 'gzip'),
        ...same('header content-encoding without Accept-Encoding', plain.headers['content-encoding'], undefined),
        ...same('header content-encoding of a small answer', small.headers['content-encoding'], undefined),
        ...holds(isCoded && gunzipSync(coded.bytes).equals(plain.bytes), 'another text', 'the same text, decompressed'),
      ];
    },
  },
];
