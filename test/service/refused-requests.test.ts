import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { json } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { ProblemCode } from '../../functions/contract/problems.ts';
import { expectProblem, givenService } from '../support/given-service.ts';
import type { Answered } from '../support/local-run.ts';

const service = givenService();

describe('bad input', () => {
  async function expectNoEffect(request: () => Promise<Answered>, code: ProblemCode): Promise<void> {
    const before = await service.run.items('CancellationLog');
    service.run.simulator.requests.clear();

    const answered = await request();

    expectProblem(answered, code);
    expect(service.run.simulator.requests.all()).toEqual([]);
    expect(await service.run.items('CancellationLog')).toHaveLength(before.length);
  }

  test.each([
    ['no JSON', 'externalId=order-7890'],
    ['an array', '[{"externalId":"order-7890"}]'],
    ['deep', `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`],
    ['an unknown key', '{"externalId":"order-7890","force":true}'],
    ['a key twice', '{"externalId":"order-1","externalId":"order-7890"}'],
    ['__proto__', '{"externalId":"order-7890","__proto__":{"jobId":"x"}}'],
    ['an empty externalId', '{"externalId":""}'],
    ['181 characters', JSON.stringify({ externalId: 'x'.repeat(181) })],
    ['a control character', '{"externalId":"order\\u0000"}'],
    ['half a surrogate pair', '{"externalId":"\\ud83d"}'],
    ['a jobId that climbs', '{"externalId":"order-7890","jobId":".."}'],
    ['a jobId that is a path', '{"externalId":"order-7890","jobId":"a/b"}'],
    ['a jobId in percent', '{"externalId":"order-7890","jobId":"%2e%2e"}'],
  ])('is refused with the field and the reason: %s', async (_, body) => {
    await expectNoEffect(() => service.cancel(body), 'invalid_request');
  });

  test('is answered with each field that is wrong, and why', async () => {
    const { body } = await service.cancel({ externalId: '', jobId: '..', partnerId: 'globex' });

    expect(body['errors']).toEqual([
      { path: 'externalId', message: 'must not be empty' },
      { path: 'jobId', message: 'must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -' },
      { path: 'partnerId', message: 'is not a field of this request' },
    ]);
    expect(body['detail']).toMatch(/^externalId must not be empty\./);
  });

  test('is refused over 8 KiB, and when its Content-Type is not JSON', async () => {
    const long = { externalId: 'x', reason: 'y'.repeat(8192) };
    const asText = { headers: { 'Content-Type': 'text/plain' } };

    await expectNoEffect(() => service.cancel(long), 'body_too_large');
    await expectNoEffect(() => service.cancel('{}', asText), 'unsupported_media_type');
  });

  // A fetch resolves dots itself: the next test sends %2e%2e unchanged.
  test.each(['..%2f', 'a%2fb', 'job_1%00', 'x'.repeat(129)])('is refused in a path: %s', async (jobId) => {
    const answered = await service.show(jobId);

    expectProblem(answered, 'invalid_request');
  });

  test.each(['/v1/cancellations/..', '/v1/cancellations/%2e%2e'])(
    'is refused in a path that climbs, sent unchanged: %s',
    async (path) => {
      const { baseUrl, partners } = service.run;
      const { hostname, port } = new URL(baseUrl);
      const headers = { Authorization: `Bearer ${partners[0]?.token}` };

      const [response] = await once(httpRequest({ hostname, port, path, headers }).end(), 'response');

      expect(await json(response)).toMatchObject({ code: 'invalid_request' });
    },
  );

  test.each(['', '?externalId=', '?externalId=a&externalId=b', '?externalId=a&other=b', '?externalId=%ff%00'])(
    'is refused in a query: "%s"',
    async (query) => {
      const answered = await service.run.call('acme', `GET /v1/cancellations${query}`);

      expectProblem(answered, 'invalid_request');
    },
  );
});

describe('a credential', () => {
  test.each<[string, Record<string, string>]>([
    ['malformed', { Authorization: 'Bearer nonsense' }],
    ['of another scheme', { Authorization: 'Basic YTpi' }],
    ['unknown', { Authorization: `Bearer pcg_local_000000000000_${'A'.repeat(43)}` }],
    ['of another environment', { Authorization: `Bearer pcg_prod_acmelocal001_${'A'.repeat(43)}` }],
    ['wrong', { Authorization: `Bearer pcg_local_acmelocal001_${'A'.repeat(43)}` }],
  ])('that is %s is a 401 that names the scheme', async (_, headers) => {
    const answered = await service.cancel({ externalId: 'order-7890' }, { headers });

    expectProblem(answered, 'unauthorized');
    expect(answered.headers.get('www-authenticate')).toBe('Bearer');
  });
});
