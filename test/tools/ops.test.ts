import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { fromItem, toItem } from '../../functions/adapters/dynamodb/table-client.ts';
import { createJobDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import { createPartners } from '../../functions/adapters/dynamodb/partners.ts';
import { createPlangrepKey } from '../../functions/adapters/plangrep/plangrep-key.ts';
import { systemClock } from '../../functions/compose.ts';
import { listenOnLoopback, localCredentials, localRegion } from '../../infra/local/aws/loopback.ts';
import { type LocalRun, startLocalRun } from '../../infra/local/run.ts';
import { plangrepSecretId } from '../../infra/local/seeds.ts';
import { localSecretId } from '../../infra/cli/places.ts';
import { acme, externalId } from '../support/names.ts';
import { watchAnswers } from '../support/openapi-answers.ts';
import { onlyLine, runCommand, type Surroundings } from '../support/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'ops-'));
const empty = mkdtempSync(join(tmpdir(), 'ops-'));

let local: LocalRun;
const { onAnswer, throwIfWrong } = watchAnswers();
beforeAll(async () => {
  const credentialsPath = join(folder, '.local', 'credentials.json');
  const paces = { authorizerTtlMs: 0, reconcileEveryMs: 0, queueVisibilityMs: 50 };
  local = await startLocalRun({ ...paces, credentialsPath, onAnswer });
});
afterAll(async () => {
  await local.close();
  for (const path of [folder, empty]) rmSync(path, { recursive: true });
  throwIfWrong();
});

const ops = (line: string, surroundings: Surroundings = {}) =>
  runCommand('ops', line.split(' ').filter(Boolean), { cwd: folder, ...surroundings });

const issuedSchema = z.object({ credential: z.string(), keyId: z.string() });
const issue = async (options = '') => {
  const { stdout, code } = await ops(`partner-key issue --partner acme --json ${options}`);
  expect(code).toBe(0);
  return issuedSchema.parse(JSON.parse(stdout));
};
const read = (credential: string, query = 'externalId=order-7890'): Promise<number> =>
  fetch(`${local.baseUrl}/v1/cancellations?${query}`, { headers: { Authorization: `Bearer ${credential}` } }).then(
    ({ status }) => status,
  );
const partnersTable = async (): Promise<Record<string, unknown>[]> => {
  const found: Record<string, unknown>[] = [];
  const pages = paginateScan({ client: local.dynamodb.client }, { TableName: local.dynamodb.tableNames.Partners });
  for await (const { Items = [] } of pages) found.push(...Items.map(fromItem));
  return found;
};

describe('partner-key', () => {
  it('issues a key that works, shows it once, and stores only its hash', async () => {
    const { stdout, stderr, code } = await ops('partner-key issue --partner acme --scopes cancellations:read');
    const [credential = '', keyId = '', secret = ''] = /pcg_local_([A-Za-z0-9]{12})_([\w-]{43})/.exec(stdout) ?? [];

    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toContain('shown once');
    expect(stdout.split(secret)).toHaveLength(2);
    expect(await read(credential)).toBe(200);
    const stored = (await partnersTable()).find(({ pk }) => pk === `key#${keyId}`);
    const secretHash = createHash('sha256').update(secret).digest('hex');
    const scopes = new Set(['cancellations:read']);
    expect(stored).toEqual({
      pk: `key#${keyId}`,
      partnerId: 'acme',
      secretHash,
      scopes,
      createdAt: expect.any(String),
    });

    const listed = await Promise.all([ops('partner-key list'), ops('partner-key list --json')]);
    expect(listed[0].stdout).toMatch(new RegExp(`^${keyId}  acme +cancellations:read +\\S+Z  never +live$`, 'm'));
    const everything = [...listed.map((one) => one.stdout), ...local.logs, JSON.stringify(await partnersTable())];
    expect(everything.filter((one) => one.includes(secret))).toEqual([]);
    expect(listed.filter((one) => one.stdout.includes(secretHash))).toEqual([]);
  });

  it('revokes a key, which is then rejected, once the operator has confirmed', async () => {
    const { credential, keyId } = await issue('--expires-in-days 2');
    const before = await read(credential);
    const refused = await ops(`partner-key revoke ${keyId}`);
    const between = await read(credential);
    const revoked = await ops(`partner-key revoke ${keyId} --yes`);
    const after = await read(credential);
    const [again, listed] = await Promise.all([
      ops(`partner-key revoke ${keyId}`),
      ops('partner-key list --partner acme'),
    ]);

    expect([before, between, after]).toEqual([200, 200, 401]);
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^Revoke key .* --yes\.\n$/) });
    expect(revoked).toMatchObject({ code: 0, stdout: expect.stringContaining('within 60 s') });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('was revoked at') });
    expect(listed.stdout).toMatch(new RegExp(`^${keyId}  acme .* revoked$`, 'm'));
  });

  it('lists a key whose time is over as expired, and says when a partner has no key', async () => {
    const key = {
      pk: 'key#expired00001',
      partnerId: 'old-one',
      secretHash: 'f'.repeat(64),
      scopes: new Set(['jobs:write']),
    };
    const times = { createdAt: '2026-01-01T00:00:00.000Z', expiresAt: '2026-02-01T00:00:00.000Z' };
    const { client, tableNames } = local.dynamodb;
    await client.send(new PutItemCommand({ TableName: tableNames.Partners, Item: toItem({ ...key, ...times }) }));

    const [old, none] = await Promise.all([
      ops('partner-key list --partner old-one'),
      ops('partner-key list --partner keyless'),
    ]);

    expect(old.stdout).toMatch(/^expired00001 .* expired$/m);
    expect(none).toMatchObject({ code: 1, stdout: 'keyless has no key (local).\n' });
  });
});

describe('partner and job', () => {
  it("writes a partner's projects, and asks before it drops one", async () => {
    const partners = createPartners(local.dynamodb.client, local.dynamodb.tableNames.Partners);
    const before = await partners.projectsOf(acme);
    const added = await ops(`partner set --partner acme --projects ${[...before, 'proj_x'].join(',')}`);
    const refused = await ops('partner set --partner acme --projects proj_x');

    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(`Drop ${before.join(', ')}`) });
    expect(await partners.projectsOf(acme)).toEqual([...before, 'proj_x']);
  });

  it('registers a job: again without effect, and never for a second partner', async () => {
    const register = 'job register --job job_ops';
    const first = await ops(`${register} --partner acme --external-id by-hand --project proj_x`);
    const [again, other] = await Promise.all([
      ops(`${register} --partner acme --external-id by-hand`),
      ops(`${register} --partner globex --external-id by-hand`),
    ]);
    const directory = createJobDirectory(local.dynamodb.client, local.dynamodb.tableNames.JobDirectory);

    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('job_ops is registered as by-hand of acme'),
    });
    expect(again).toEqual(first);
    expect(other).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^job_ops is already registered under another externalId or partner/),
    });
    expect(await directory.find(acme, externalId('by-hand'))).toMatchObject([
      { jobId: 'job_ops', projectId: 'proj_x' },
    ]);
  });
});

describe('cancellations', () => {
  it('lists each open cancellation once, and shows it with its timeline and the requests that joined', async () => {
    const none = await ops('cancellations open');
    const [partner] = local.partners;
    const headers = { Authorization: `Bearer ${partner?.token}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ externalId: 'order-7891', reason: 'twice\u200bordered' });
    for (const _ of [1, 2]) await fetch(`${local.baseUrl}/v1/cancellations`, { method: 'POST', headers, body });

    const job = 'job_slow00000000000000000007891';
    const [open, json, shown, unknown] = await Promise.all([
      ops('cancellations open'),
      ops('cancellations open --json'),
      ops(`cancellations show --partner acme ${job}`),
      ops('cancellations show --partner globex job_slow00000000000000000007891'),
    ]);

    expect(none).toMatchObject({ code: 1, stdout: 'No cancellation is open (local).\n' });
    expect(open.stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(open.stdout).toMatch(new RegExp(`^\\d+ s +acme +${job}  1 +accepted +no +in \\d+ s$`, 'm'));
    expect(JSON.parse(json.stdout)).toMatchObject({ complete: true, open: [{ jobId: job, lastResult: 'accepted' }] });
    expect(shown.stdout).toMatch(
      / 1 +requested .* 2 +attempt_ended .*result=accepted.* joined .*reason="twice\\u\{200b\}/s,
    );
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('globex has no cancellation of job_slow'),
    });
  });
});

describe('dlq', () => {
  it('counts the dead letters, and returns them to the queue once that is confirmed', async () => {
    const none = await ops('dlq redrive --yes');
    const malformed = () => local.logs.filter((line) => line.includes('EVENT_MALFORMED')).length;
    local.queue.send('no event');
    await expect.poll(() => local.queue.deadLetters().length, { timeout: 10_000 }).toBe(1);
    const tries = malformed();

    const [listed, refused] = await Promise.all([ops('dlq list'), ops('dlq redrive')]);
    const unchanged = malformed();
    const redriven = await ops('dlq redrive --yes');

    expect(none).toMatchObject({ code: 1, stdout: expect.stringContaining('Nothing is in') });
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^events +1 /m) });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(redriven).toMatchObject({ code: 0, stdout: expect.stringContaining('about 1 event.') });
    expect(unchanged).toBe(tries);
    await expect.poll(malformed).toBeGreaterThan(tries);
  });
});

describe('plangrep-key put', () => {
  const storedKey = (): Promise<string> => {
    const endpoint = local.endpoints.secretsmanager;
    const client = new SecretsManagerClient({ endpoint, region: localRegion, credentials: localCredentials });
    return createPlangrepKey({ client, secretId: plangrepSecretId, clock: systemClock, report: () => undefined }).get();
  };

  it('takes the key only from stdin, never shows it, and asks first', async () => {
    const value = 'pgk_live_from_stdin';
    const before = await storedKey();
    const refusals = await Promise.all([
      ops('plangrep-key put', { stdin: value }),
      ops(`plangrep-key put ${value} --yes`),
      ops('plangrep-key put --yes', { stdin: `${value} with spaces` }),
    ]);
    const between = await storedKey();
    const put = await ops('plangrep-key put --yes', { stdin: `${value}\n` });

    expect(refusals.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(between).toBe(before);
    expect(put).toMatchObject({ code: 0, stderr: '' });
    expect(await storedKey()).toBe(value);
    expect([...refusals, put].filter(({ stdout, stderr }) => `${stdout}${stderr}`.includes(value))).toEqual([]);
    expect(localSecretId).toBe(plangrepSecretId);
  });
});

describe('audit verify', () => {
  it('shows what verify-audit shows for this log', async () => {
    const { stdout, code } = await ops('audit verify --json --closed-before 2026-11-01');

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'summary', ok: true, place: local.endpoints.dynamodb });
  });
});

describe('a deployed environment', () => {
  const resource = (type: string, logicalId: string, physicalId: string): string =>
    `<member><ResourceType>${type}</ResourceType><LogicalResourceId>${logicalId}</LogicalResourceId>` +
    `<PhysicalResourceId>${physicalId}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>`;
  const table = 'AWS::DynamoDB::GlobalTable';

  it('is found through the resources of its CloudFormation stacks', async () => {
    const stacks: Record<string, string> = {
      'plangrep-cancellation-dev-stateful': resource(table, 'Partners', 'Partners'),
      'plangrep-cancellation-dev-service': resource(
        'AWS::SQS::Queue',
        'EventsDoorDeadLettersABCD1234',
        `${local.endpoints.sqs}/000000000000/cancellation-events-dlq`,
      ),
    };
    const asked: string[] = [];
    const cloudFormation = createServer((request, response) => {
      void text(request).then((body) => {
        const stack = new URLSearchParams(body).get('StackName') ?? '';
        asked.push(stack);
        const members = stacks[stack];
        const isThere = members !== undefined;
        response.writeHead(isThere ? 200 : 400, { 'Content-Type': 'text/xml' });
        response.end(
          isThere
            ? `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>${members}</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`
            : `<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id ${stack} does not exist</Message></Error></ErrorResponse>`,
        );
      });
    });
    const port = await listenOnLoopback(cloudFormation, 0);
    const env = {
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_CLOUDFORMATION: `http://127.0.0.1:${port}`,
      AWS_ENDPOINT_URL_DYNAMODB: local.endpoints.dynamodb,
      AWS_ENDPOINT_URL_SQS: local.endpoints.sqs,
    };

    const [issued, queues, missing] = await Promise.all([
      ops('partner-key issue --partner far --json --environment dev', { env, cwd: empty }),
      ops('dlq list --environment dev --json', { env, cwd: empty }),
      ops('cancellations open --environment prod', { env, cwd: empty }),
    ]);
    cloudFormation.close();

    expect(issuedSchema.parse(JSON.parse(issued.stdout)).credential).toMatch(/^pcg_dev_/);
    expect(JSON.parse(queues.stdout)).toMatchObject([{ queue: 'events' }]);
    const line = 'There is no stack plangrep-cancellation-prod-stateful (eu-central-1)';
    expect(missing).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(line) });
    expect(asked.toSorted()).toEqual([...Object.keys(stacks), 'plangrep-cancellation-prod-stateful'].toSorted());
  });
});

describe('what cannot be done', () => {
  it('is said in one line, with exit code 2', async () => {
    const gone = join(empty, 'gone');
    mkdirSync(join(gone, '.local'), { recursive: true });
    const unused = 'http://127.0.0.1:1';
    const endpoints = { dynamodb: unused, secretsmanager: unused, sqs: unused };
    writeFileSync(join(gone, '.local', 'credentials.json'), JSON.stringify({ endpoints }));
    const cases: [string, RegExp, Surroundings?][] = [
      ['', /^No command: .*--help/],
      ['partner-key', /^No such command: .*partner-key revoke/],
      ['partner-key issue --partner ACME', /^--partner must be 1 to 40 characters of/],
      ['cancellations open --frobnicate', /^Unknown option '--frobnicate'/],
      ['partner-key list', /^There is no local run here/, { cwd: empty }],
      ['cancellations open', /^No answer from http:\/\/127\.0\.0\.1:1: ECONNREFUSED/, { cwd: gone }],
      ['partner-key list --environment dev', /^No valid AWS credentials \(eu-central-1\)/],
    ];

    const done = await Promise.all(cases.map(([line, , surroundings]) => ops(line, surroundings)));

    for (const [position, ended] of done.entries()) {
      const [line = '', pattern = /^$/] = cases[position] ?? [];
      expect({ line, code: ended.code }).toEqual({ line, code: 2 });
      expect(onlyLine(ended)).toMatch(pattern);
    }
  });

  it('while --help explains every command', async () => {
    const [all, one] = await Promise.all([ops('--help', { cwd: empty }), ops('dlq redrive --help', { cwd: empty })]);

    expect(all).toMatchObject({ code: 0, stdout: expect.stringContaining('partner-key issue') });
    expect(one).toMatchObject({ code: 0, stdout: expect.stringMatching(/^npm run ops -- dlq redrive \[options\]\n/) });
  });
});
