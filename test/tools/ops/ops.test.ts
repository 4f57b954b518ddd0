import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createPlangrepKey } from '../../../functions/adapters/plangrep/plangrep-key.ts';
import { systemClock } from '../../../functions/compose/surroundings.ts';
import { keyVariables } from '../../../infra/local/aws/access-keys.ts';
import { listenOnLoopback, localRegion } from '../../../infra/local/aws/loopback.ts';
import { plangrepSecretId } from '../../../infra/local/seeds.ts';
import { countJoined } from '../../../infra/cli/cancellations/tell-story.ts';
import { givenOps, issuedSchema } from '../../support/given-ops.ts';
import { onlyLine, type Surroundings } from '../../support/run-command.ts';

const ops = givenOps();
const deadLettersSchema = z.object({
  complete: z.boolean(),
  events: z.array(z.object({ malformed: z.optional(z.object({ path: z.string() })) })),
});

describe('cancellations', () => {
  test('lists each open cancellation once, and shows it with its timeline and the requests that joined', async () => {
    const none = await ops.run('cancellations open');
    for (const _ of [1, 2]) await ops.service.cancel({ externalId: 'order-7891', reason: 'twice\u200bordered' });
    const job = 'job_slow00000000000000000007891';
    const [open, json, shown, unknown] = await Promise.all([
      ops.run('cancellations open'),
      ops.run('cancellations open --json'),
      ops.run(`cancellations show --partner acme ${job}`),
      ops.run('cancellations show --partner globex job_slow00000000000000000007891'),
    ]);

    expect(none).toMatchObject({ code: 1, stdout: 'No cancellation is open (local).\n' });
    expect(open.stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(open.stdout).toMatch(new RegExp(`^\\d+ s +acme +${job}  1 +accepted +no +(in \\d+ s|\\d+ s overdue)$`, 'm'));
    expect(JSON.parse(json.stdout)).toMatchObject({ complete: true, open: [{ jobId: job, lastResult: 'accepted' }] });
    expect(shown.stdout).toMatch(
      / 1 +requested .* 2 +attempt_ended .*result=accepted.* joined .*reason="twice\\u\{200b\}/s,
    );
    expect(shown.stdout).toMatch(/^joined +1$/m);
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('globex has no cancellation of job_slow'),
    });
  });
});

describe('the requests that joined', () => {
  test.each([
    [3, 3, '3'],
    [999, 100, '999; the newest 100 are shown'],
    [1_000, 100, '1000 or more; the newest 100 are shown'],
  ])('%i of which %i are shown', (count, shown, words) => {
    expect(countJoined(count, shown)).toBe(words);
  });
});

describe('dlq', () => {
  test('counts the dead letters, and returns them to the queue once that is confirmed', async () => {
    const [none, nothing] = await Promise.all([ops.run('dlq redrive --yes'), ops.run('dlq show')]);
    const malformed = () => ops.service.run.logs.filter((line) => line.includes('EVENT_MALFORMED')).length;
    ops.service.run.queue.send('no event');
    await expect.poll(() => ops.service.run.queue.deadLetters().length, { timeout: 10_000 }).toBe(1);
    const tries = malformed();

    const [listed, refused] = await Promise.all([ops.run('dlq list'), ops.run('dlq redrive')]);
    const unchanged = malformed();
    const redriven = await ops.run('dlq redrive --yes');

    expect(none).toMatchObject({ code: 1, stdout: expect.stringContaining('Nothing is in') });
    expect(nothing).toMatchObject({ code: 1, stdout: expect.stringContaining('Nothing is in') });
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^events +1 /m) });
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(redriven).toMatchObject({ code: 0, stdout: expect.stringContaining('about 1 event.') });
    expect(unchanged).toBe(tries);
    await expect.poll(malformed).toBeGreaterThan(tries);
  });

  test('shows whose each dead letter is and what is wrong with it, and changes nothing', async () => {
    const { service } = ops;
    const before = service.run.queue.deadLetters().length;
    const reported = () => service.run.logs.filter((line) => line.includes('EVENT_MALFORMED')).length;
    const reportedBefore = reported();
    for (let n = 0; n < 11; n += 1) {
      await service.publish('Job Cancellation Requested', { externalId: `canary ${n}`, canary: true });
    }
    await service.publish('Job Registered', { externalId: 'canary', jobId: '../canary' });
    await service.publish('Job Cancellation Requested', { externalId: 'canary of nobody' });
    await expect.poll(() => service.run.queue.deadLetters().length, { timeout: 10_000 }).toBe(before + 13);

    const inText = await ops.run('dlq show');
    const again = await ops.run('dlq show --json');

    const shown = deadLettersSchema.parse(JSON.parse(again.stdout));
    const paths = shown.events.map(({ malformed }) => malformed?.path ?? 'none');
    expect(inText.code).toBe(0);
    expect(inText.stdout).toMatch(/ acme +[0-9a-f-]{36} +detail has a field that is not known\n/);
    expect(inText.stdout).toMatch(/ acme +[0-9a-f-]{36} +detail\.jobId must be 1 to 128 characters of/);
    expect(inText.stdout).toMatch(/ acme +[0-9a-f-]{36} +not malformed: refused, or failed/);
    expect(`${inText.stdout}${again.stdout}`).not.toContain('canary');
    expect(shown.complete).toBe(true);
    expect(paths).toEqual(
      expect.arrayContaining([...Array.from({ length: 11 }, () => 'detail'), 'detail.jobId', 'none']),
    );
    expect(paths).toHaveLength(before + 13);
    expect(service.run.queue.deadLetters()).toHaveLength(before + 13);
    expect(reported() - reportedBefore).toBe(12);
  });
});

describe('plangrep-key put', () => {
  const storedKey = (): Promise<string> => {
    const { endpoints, aws } = ops.service.run;
    const endpoint = endpoints.secretsmanager;
    const client = new SecretsManagerClient({ endpoint, region: localRegion, credentials: aws });
    return createPlangrepKey({ client, secretId: plangrepSecretId, clock: systemClock, report: () => undefined }).get();
  };

  test('takes the key only from stdin, never shows it, and asks first', async () => {
    const value = 'pgk_live_from_stdin';
    const before = await storedKey();
    const refusals = await Promise.all([
      ops.run('plangrep-key put', { stdin: value }),
      ops.run(`plangrep-key put ${value} --yes`),
      ops.run('plangrep-key put --yes', { stdin: `${value} with spaces` }),
    ]);
    const between = await storedKey();
    ops.service.run.simulator.setApiKey(value);
    const put = await ops.run('plangrep-key put --yes', { stdin: `${value}\n` });

    expect(refusals.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(between).toBe(before);
    expect(put).toMatchObject({ code: 0, stderr: '' });
    expect(await storedKey()).toBe(value);
    expect([...refusals, put].filter(({ stdout, stderr }) => `${stdout}${stderr}`.includes(value))).toEqual([]);
  });
});

describe('audit verify', () => {
  test('shows what verify-audit shows for this log', async () => {
    const { stdout, code } = await ops.run('audit verify --json --closed-before 2026-11-01');

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'summary', ok: true, place: ops.service.run.endpoints.dynamodb });
  });
});

describe('a deployed environment', () => {
  const resource = (type: string, logicalId: string, physicalId: string): string =>
    `<member><ResourceType>${type}</ResourceType><LogicalResourceId>${logicalId}</LogicalResourceId>` +
    `<PhysicalResourceId>${physicalId}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>`;
  const table = 'AWS::DynamoDB::GlobalTable';

  test('is found through the resources of its CloudFormation stacks', async () => {
    const stacks: Record<string, string> = {
      'plangrep-cancellation-dev-stateful': resource(table, 'Partners', 'Partners'),
      'plangrep-cancellation-dev-service': resource(
        'AWS::SQS::Queue',
        'EventsDoorDeadLettersABCD1234',
        `${ops.service.run.endpoints.sqs}/000000000000/cancellation-events-dlq`,
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
      ...keyVariables(ops.service.run.aws),
      AWS_ENDPOINT_URL_CLOUDFORMATION: `http://127.0.0.1:${port}`,
      AWS_ENDPOINT_URL_DYNAMODB: ops.service.run.endpoints.dynamodb,
      AWS_ENDPOINT_URL_SQS: ops.service.run.endpoints.sqs,
      AWS_ENDPOINT_URL_API_GATEWAY: ops.service.run.endpoints.apigateway,
    };

    const [planless, issued, queues, missing] = await Promise.all([
      ops.run('partner add --partner far --environment dev', { env, cwd: ops.elsewhere }),
      ops.run('partner-key issue --partner far --json --yes --environment dev', { env, cwd: ops.elsewhere }),
      ops.run('dlq list --environment dev --json', { env, cwd: ops.elsewhere }),
      ops.run('cancellations open --environment prod', { env, cwd: ops.elsewhere }),
    ]);
    cloudFormation.close();

    // API Gateway has only the local run's plans here.
    const noPlans = '--plan must be one of the plans of dev (none: deploy the service stack first), not "standard".';
    expect(onlyLine(planless)).toBe(noPlans);
    expect(issuedSchema.parse(JSON.parse(issued.stdout)).credential).toMatch(/^pcg_dev_/);
    expect(JSON.parse(queues.stdout)).toMatchObject([{ queue: 'events' }]);
    const line = 'There is no stack plangrep-cancellation-prod-stateful (eu-central-1)';
    expect(missing).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(line) });
    expect(asked.toSorted()).toEqual([...Object.keys(stacks), 'plangrep-cancellation-prod-stateful'].toSorted());
  });
});

describe('what cannot be done', () => {
  test('is said in one line, with exit code 2', async () => {
    const gone = join(ops.elsewhere, 'gone');
    mkdirSync(join(gone, '.local'), { recursive: true });
    const unused = 'http://127.0.0.1:1';
    const endpoints = {
      dynamodb: unused,
      secretsmanager: unused,
      sqs: unused,
      apigateway: unused,
      s3: unused,
      kms: unused,
    };
    writeFileSync(join(gone, '.local', 'credentials.json'), JSON.stringify({ endpoints, aws: ops.service.run.aws }));
    const cases: [string, RegExp, Surroundings?][] = [
      ['', /^No command: .*--help/],
      ['partner-key', /^No such command: .*partner-key revoke/],
      ['partner-key issue --partner ACME', /^--partner must be 1 to 40 characters of/],
      ['cancellations open --frobnicate', /^Unknown option '--frobnicate'/],
      ['partner-key list', /^There is no local run here/, { cwd: ops.elsewhere }],
      ['cancellations open', /^No answer from http:\/\/127\.0\.0\.1:1: ECONNREFUSED/, { cwd: gone }],
      ['partner-key list --environment dev', /^No valid AWS credentials \(eu-central-1\)/],
    ];

    const done = await Promise.all(cases.map(([line, , surroundings]) => ops.run(line, surroundings)));

    for (const [position, ended] of done.entries()) {
      const [line = '', pattern = /^$/] = cases[position] ?? [];
      expect({ line, code: ended.code }).toEqual({ line, code: 2 });
      expect(onlyLine(ended)).toMatch(pattern);
    }
  });

  test('while --help explains every command', async () => {
    const [all, one] = await Promise.all([
      ops.run('--help', { cwd: ops.elsewhere }),
      ops.run('dlq redrive --help', { cwd: ops.elsewhere }),
    ]);

    expect(all).toMatchObject({ code: 0, stdout: expect.stringContaining('partner-key issue') });
    expect(one).toMatchObject({ code: 0, stdout: expect.stringMatching(/^npm run ops -- dlq redrive \[options\]\n/) });
  });
});
