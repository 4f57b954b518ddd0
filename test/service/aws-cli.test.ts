import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { welcome } from '../../infra/cli/welcome.ts';
import { localQueueUrl } from '../../infra/local/aws/events/queue-endpoint.ts';
import { localArn } from '../../infra/local/aws/loopback.ts';
import { archiveBucket, eventsQueueName, plangrepSecretId, sealKey } from '../../infra/local/seeds.ts';
import { givenService } from '../support/given-service.ts';
import { documentedJob } from '../support/names.ts';
import { hasAwsCli, runAwsCli as aws } from '../support/run-aws-cli.ts';

const exec = promisify(execFile);

describe.runIf(hasAwsCli())('the real AWS CLI', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'aws-cli-'));
  const service = givenService({ credentialsPath: join(folder, '.local', 'credentials.json') });
  afterAll(() => rmSync(folder, { recursive: true }));
  const untilCancelled = (jobId: string) =>
    vi.waitFor(() => expect(service.run.simulator.job(jobId)?.status).toBe('cancelled'), 10_000);

  test("reads the cancellation log's stream", async () => {
    const { endpoints, aws: operator, dynamodb } = service.run;
    const call = (...command: string[]) => aws(endpoints.dynamodb, ['dynamodbstreams', ...command], operator);
    const { externalId, jobId } = await service.newJob();
    await service.cancel({ externalId });

    const listed = z
      .object({ Streams: z.array(z.object({ StreamArn: z.string(), TableName: z.string() })) })
      .parse(await call('list-streams'));
    const arn = listed.Streams[0]?.StreamArn ?? '';
    const described = z
      .object({ StreamDescription: z.looseObject({ Shards: z.array(z.object({ ShardId: z.string() })) }) })
      .parse(await call('describe-stream', '--stream-arn', arn));
    const shard = ['--stream-arn', arn, '--shard-id', described.StreamDescription.Shards[0]?.ShardId ?? ''];
    const iteratorOf = async (...type: string[]) =>
      z
        .object({ ShardIterator: z.string() })
        .parse(await call('get-shard-iterator', ...shard, '--shard-iterator-type', ...type)).ShardIterator;
    const recordsAt = async (iterator: string, ...more: string[]) =>
      z
        .object({ Records: z.array(z.looseObject({ dynamodb: z.looseObject({ SequenceNumber: z.string() }) })) })
        .parse(await call('get-records', '--shard-iterator', iterator, ...more)).Records;

    expect(listed.Streams).toMatchObject([{ TableName: dynamodb.tableNames.CancellationLog }]);
    expect(described.StreamDescription).toMatchObject({
      StreamStatus: 'ENABLED',
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    });
    const records = await recordsAt(await iteratorOf('TRIM_HORIZON'));
    const [requested, closed] = records.slice(-2);
    expect([requested, closed]).toMatchObject([
      { eventName: 'INSERT', dynamodb: { NewImage: { type: { S: 'requested' }, jobId: { S: jobId } } } },
      { eventName: 'INSERT', dynamodb: { NewImage: { type: { S: 'closed' }, jobId: { S: jobId } } } },
    ]);
    const numberOf = (record: typeof requested) => record?.dynamodb.SequenceNumber ?? '';
    const at = await iteratorOf('AT_SEQUENCE_NUMBER', '--sequence-number', numberOf(requested));
    expect(await recordsAt(at, '--limit', '1')).toEqual([requested]);
    const after = await iteratorOf('AFTER_SEQUENCE_NUMBER', '--sequence-number', numberOf(requested));
    expect(await recordsAt(after)).toEqual([closed]);
    expect(await recordsAt(await iteratorOf('LATEST'))).toEqual([]);
    await expect(call('describe-stream', '--stream-arn', `${arn}0`)).rejects.toThrow('ResourceNotFoundException');
    await expect(call('get-records', '--shard-iterator', 'guessed')).rejects.toThrow('ValidationException');
  });

  test('cancels a job with put-events', async () => {
    const entry = {
      Source: service.run.partners[0]?.eventSource,
      DetailType: 'Job Cancellation Requested',
      Detail: JSON.stringify({ externalId: 'order-7890' }),
    };

    const command = ['events', 'put-events', '--entries', JSON.stringify([entry])];
    const answer = await aws(service.run.endpoints.eventbridge, command, service.run.partners[0]?.aws);

    expect(answer).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
    await untilCancelled(documentedJob);
  });

  test("refuses another partner's source, and a key whose secret is wrong", async () => {
    const [acme, globex] = service.run.partners;
    const detail = JSON.stringify({ externalId: 'order-7890' });
    const entry = { Source: acme?.eventSource, DetailType: 'Job Cancellation Requested', Detail: detail };
    const command = ['events', 'put-events', '--entries', JSON.stringify([entry])];
    const { eventbridge } = service.run.endpoints;

    const forged = await aws(eventbridge, command, globex?.aws);
    const guessed = aws(eventbridge, command, acme && { ...acme.aws, secretAccessKey: 'guessed' });

    expect(forged).toMatchObject({
      FailedEntryCount: 1,
      Entries: [{ ErrorCode: 'NotAuthorizedForSourceException' }],
    });
    await expect(guessed).rejects.toThrow('InvalidSignatureException');
  });

  test('cancels order-7894 with the command that npm start prints, on a machine that has no AWS settings', async () => {
    const printed = stripVTControlCharacters(welcome(service.run, '', undefined));
    const command = /AWS_ACCESS_KEY_ID=.*\n.*\n.*order-7894.*/.exec(printed)?.[0] ?? '';
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
    const noSettings = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };

    const { stdout } = await exec('sh', ['-c', command], { env: { ...Object.fromEntries(inherited), ...noSettings } });

    expect(JSON.parse(stdout)).toMatchObject({ FailedEntryCount: 0 });
    await untilCancelled('job_evnt00000000000000000007894');
  });

  test('reads a table, a secret and a queue', async () => {
    const { dynamodb, endpoints, aws: operator } = service.run;
    const tableName = dynamodb.tableNames.CancellationLog;

    const table = await aws(endpoints.dynamodb, ['dynamodb', 'describe-table', '--table-name', tableName], operator);
    const readSecret = ['secretsmanager', 'get-secret-value', '--secret-id', plangrepSecretId];
    const secret = await aws(endpoints.secretsmanager, readSecret, operator);

    const queueUrl = localQueueUrl(endpoints.sqs, eventsQueueName);
    const readQueue = ['sqs', 'get-queue-attributes', '--queue-url', queueUrl, '--attribute-names', 'QueueArn'];
    const queue = await aws(endpoints.sqs, readQueue, operator);

    expect(queue).toMatchObject({ Attributes: { QueueArn: localArn('sqs', eventsQueueName) } });
    expect(table).toMatchObject({ Table: { TableStatus: 'ACTIVE' } });
    expect(secret).toMatchObject({ Name: plangrepSecretId });
  });

  test("lists and copies the archive's objects and gets the public key, with the commands of docs/configuration.md", async () => {
    const { endpoints, aws: credentials } = service.run;
    const at = (endpoint: string) => ({ endpoint, region: credentials.region, credentials });
    const [Key, Body] = ['records/acme/a b ü.ndjson', '{"seq":1}\n'];
    const put = { Bucket: archiveBucket, Key, Body, ChecksumAlgorithm: 'SHA256' } as const;
    await new S3Client(at(endpoints.s3)).send(new PutObjectCommand(put));
    const docs = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const [, commands = ''] = /```sh\n([^`]*AWS_ENDPOINT_URL_S3[^`]*)```/.exec(docs) ?? [];

    const { stdout } = await exec('bash', ['-ec', commands], { cwd: folder });

    const { PublicKey = [] } = await new KMSClient(at(endpoints.kms)).send(new GetPublicKeyCommand({ KeyId: sealKey }));
    expect(stdout).toContain(`10 ${Key}\n`);
    expect(stdout).toContain(`"Days": 1`);
    expect(stdout).toContain(Buffer.from(PublicKey).toString('base64'));
    expect(readFileSync(join(folder, 'archive', Key), 'utf8')).toBe(Body);
    const target = join(folder, 'object');
    const get = ['s3api', 'get-object', '--bucket', archiveBucket, '--key', Key, '--checksum-mode', 'ENABLED', target];
    expect(await aws(endpoints.s3, get, credentials)).toMatchObject({
      ObjectLockMode: 'GOVERNANCE',
      ChecksumSHA256: expect.stringMatching(/^[\w+/]{43}=$/),
    });
    expect(readFileSync(target, 'utf8')).toBe(Body);
  });

  test('puts a new API key into a usage plan, and reads what was used of it', async () => {
    const { endpoints, aws: operator } = service.run;
    const call = (...command: string[]) => aws(endpoints.apigateway, ['apigateway', ...command], operator);
    const inPlan = ['--usage-plan-id', 'small'];

    const value = 'value0000000000000000';
    const created = await call('create-api-key', '--name', 'by-hand', '--value', value, '--enabled');
    const { id } = z.object({ id: z.string() }).parse(created);
    await call('create-usage-plan-key', ...inPlan, '--key-id', id, '--key-type', 'API_KEY');
    const keys = await call('get-usage-plan-keys', ...inPlan);
    const day = ['--start-date', '2026-11-26', '--end-date', '2026-11-26'];
    const usage = await call('get-usage', ...inPlan, '--key-id', id, ...day);

    expect(keys).toMatchObject({ items: [{ id, name: 'by-hand', value }] });
    expect(usage).toMatchObject({ items: { [id]: [[0, 100]] } });
    await expect(call('create-api-key', '--name', 'again', '--value', value)).rejects.toThrow('already exists');
    await expect(call('delete-api-key', '--api-key', 'none')).rejects.toThrow('NotFoundException');
  });
});
