import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { partnerIdSchema } from '../../../functions/core/identifiers.ts';
import { usageKeyOf } from '../../../functions/doors/http/usage-key.ts';
import { ApiGatewayError, createApiGateway } from '../../../infra/cli/partners/api-gateway.ts';
import { createUsageKeys } from '../../../infra/cli/partners/usage-keys.ts';
import { createAccessKey } from '../../../infra/local/aws/access-keys.ts';
import { type Listening, localRegion, serveOnLoopback } from '../../../infra/local/aws/loopback.ts';
import { givenOps, issuedSchema } from '../../support/given-ops.ts';
import { onlyLine } from '../../support/run-command.ts';

const ops = givenOps();
const small = 'small (1/s, burst 5, 100 a day)';
const standard = 'standard (10,000/s, burst 5,000, 1,000,000,000 a day)';

const read = async (credential: string): Promise<Response> => {
  const headers = { Authorization: `Bearer ${credential}` };
  return fetch(`${ops.service.run.baseUrl}/v1/cancellations?externalId=order-7890`, { headers });
};
const statuses = async (credential: string, requests: number): Promise<number[]> => {
  const answers = await Promise.all(Array.from({ length: requests }, () => read(credential)));
  return answers.map(({ status }) => status);
};
const issueKey = async (partner: string): Promise<string> => {
  const { stdout } = await ops.run(`partner-key issue --partner ${partner} --json --yes`);
  return issuedSchema.parse(JSON.parse(stdout)).credential;
};

describe('partner', () => {
  test('is refused until it is added, then has the usual plan, and is removed with all that it had', async () => {
    const credential = await issueKey('umbrella');
    const before = await read(credential);

    const added = await ops.run('partner add --partner umbrella --projects proj_u1,proj_u2');
    const after = await read(credential);
    const shown = await ops.run('partner show --partner umbrella');
    const listed = await ops.run('partner list --json');

    expect(before.status).toBe(403);
    expect(await before.json()).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('usage plan') });
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(added.stdout).toContain(
      `umbrella (local) has a record (proj_u1, proj_u2) and the plan ${standard}.\nNext: npm run ops -- partner-key issue --partner umbrella\n`,
    );
    expect(after.status).toBe(404);
    expect(shown.stdout).toMatch(/Projects +proj_u1, proj_u2\n/);
    expect(shown.stdout).toMatch(/Used today +1 requests/);
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { partnerId: 'acme', plan: { name: 'standard' } },
      { partnerId: 'globex', plan: { name: 'standard' } },
      { partnerId: 'umbrella', projects: ['proj_u1', 'proj_u2'], plan: { name: 'standard' } },
    ]);

    expect(await ops.run('partner remove --partner umbrella')).toMatchObject({ code: 2 });
    const removed = await ops.run('partner remove --partner umbrella --yes');
    expect(removed.stdout).toBe('umbrella (local) is removed: its requests are refused from now on.\n');
    expect((await read(credential)).status).toBe(401);
    expect(onlyLine(await ops.run('partner show --partner umbrella'))).toBe('There is no partner umbrella (local).');
    expect(await ops.run('partner remove --partner umbrella --yes')).toMatchObject({ code: 1 });
  });

  test('sends only what its plan allows, from the moment that the plan is another', async () => {
    await ops.run('partner add --partner initech');
    const credential = await issueKey('initech');
    expect(await statuses(credential, 20)).not.toContain(429);

    const changed = await ops.run('partner set --partner initech --plan small');
    const limited = await statuses(credential, 20);
    const others = await statuses(ops.service.run.partners[0]?.token ?? '', 20);

    expect(changed.stdout).toBe(`initech (local): ${small}; before: standard\n`);
    expect(limited).toContain(429);
    expect(limited.filter((status) => status === 404).length).toBeGreaterThanOrEqual(5);
    expect(new Set(others)).toEqual(new Set([200]));
  });

  test('that was added in part is completed, and keeps its record', async () => {
    await ops.run('partner set --partner hooli --projects proj_h');

    const added = await ops.run('partner add --partner hooli --plan small');
    const again = await ops.run('partner add --partner hooli --plan small --json');

    expect(added.stdout).toContain(`hooli (local) keeps the record that it has and the plan ${small}.`);
    expect(JSON.parse(again.stdout)).toMatchObject({ partnerId: 'hooli', isNew: false, plan: { name: 'small' } });
    expect((await ops.run('partner show --partner hooli')).stdout).toMatch(/Projects +proj_h\n/);
  });

  test.each([
    ['partner add --partner acme --plan small', 'acme (local) has the plan standard: "partner set --partner acme'],
    ['partner set --partner nobody --plan small', 'nobody (local) has no usage plan yet: "npm run ops -- partner add'],
    ['partner show --partner nobody', 'There is no partner nobody (local).'],
    [
      'partner add --partner acme --plan huge',
      '--plan must be one of the plans of local (standard, small), not "huge".',
    ],
    ['partner add --partner Acme', '--partner must be 1 to 40 characters'],
    ['partner add --partner new --projects a,b%', '--projects must be'],
    ['partner set --partner acme', '"partner set" needs --projects, --plan or both.'],
  ])('%s: %s', async (line, why) => {
    expect(onlyLine(await ops.run(line))).toContain(why);
  });
});

describe('the usage key', () => {
  const partner = partnerIdSchema.parse('acme');

  test('is made of letters and digits, and differs by partner and environment', () => {
    const keys = [
      usageKeyOf('dev', partner),
      usageKeyOf('prod', partner),
      usageKeyOf('prod', partnerIdSchema.parse('globex')),
    ];

    for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9]{20,128}$/);
    expect(new Set(keys).size).toBe(3);
  });

  test("opens nothing: as a credential and as API Gateway's own header it is refused", async () => {
    const value = usageKeyOf('local', partner);
    const url = `${ops.service.run.baseUrl}/v1/cancellations?externalId=order-7890`;

    for (const headers of [{ 'X-API-Key': value }, { Authorization: `Bearer ${value}` }]) {
      expect((await fetch(url, { headers })).status).toBe(401);
    }
  });
});

describe("API Gateway's own API", () => {
  let server: Listening;
  let answers: { status: number; body: unknown; type?: string }[] = [];
  let asked: string[] = [];
  const access = () => ({ endpoint: server.url, region: localRegion, credentials: createAccessKey() });
  const call = () => createApiGateway(access(), { firstPauseMs: 1 });

  beforeEach(async () => {
    asked = [];
    server = await serveOnLoopback(
      createServer(({ method, url = '' }, response) => {
        asked.push(`${method} ${url}`);
        const { status, body, type } = answers.shift() ?? { status: 500, body: {} };
        response.writeHead(status, type === undefined ? {} : { 'x-amzn-ErrorType': type });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      }),
    );
  });
  afterEach(() => server.close());

  test('is asked again when it has too many calls, or fails', async () => {
    answers = [
      { status: 429, body: { message: 'Too Many Requests' }, type: 'TooManyRequestsException' },
      { status: 503, body: '' },
      { status: 202, body: '' },
    ];

    expect(await call()('DELETE', '/apikeys/one')).toBeUndefined();
    expect(asked).toEqual(Array(3).fill('DELETE /apikeys/one'));
  });

  test.each([
    [{ status: 404, body: { message: 'Invalid API Key' }, type: 'NotFoundException:http://x' }, 'NotFoundException', 1],
    [{ status: 403, body: 'not JSON' }, 'HTTP 403', 1],
    [{ status: 500, body: {} }, 'HTTP 500', 4],
  ])('says what it refused: %j', async (answer, name, tries) => {
    answers = Array(4).fill(answer);

    const error: unknown = await call()('GET', '/usageplans').catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(ApiGatewayError);
    expect(error).toMatchObject({ name });
    expect(asked).toHaveLength(tries);
  });

  test('that cannot be reached is named as any other service', async () => {
    await server.close();

    await expect(call()('GET', '/usageplans')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('is read page by page, past the plans and keys of other APIs', async () => {
    const limits = { throttle: { rateLimit: 5, burstLimit: 10 }, quota: { limit: 100, period: 'DAY' } };
    answers = [
      { status: 200, body: { item: [{ id: 'other', name: 'someone-elses' }], position: 'p2' } },
      { status: 200, body: { item: [{ id: 'plan1', name: 'plangrep-cancellation-local-standard', ...limits }] } },
      { status: 200, body: { item: [{ id: 'key1', name: 'plangrep-cancellation-local.acme' }] } },
      { status: 200, body: { item: [{ id: 'nameless' }, { id: 'key1', name: 'plangrep-cancellation-local.acme' }] } },
    ];

    const keys = await createUsageKeys({ environment: 'local', apiGateway: access() }).list();

    const plan = { id: 'plan1', name: 'standard', ratePerSecond: 5, burst: 10, requestsPerDay: 100 };
    expect(keys).toEqual([{ id: 'key1', partnerId: 'acme', plan }]);
    expect(asked).toEqual([
      'GET /usageplans?limit=500',
      'GET /usageplans?limit=500&position=p2',
      'GET /usageplans/plan1/keys?limit=500',
      'GET /apikeys?limit=500',
    ]);
  });
});
