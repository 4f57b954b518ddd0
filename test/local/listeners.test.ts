import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { callSigned, createAccessKey } from '../../infra/local/aws/access-keys.ts';
import { archiveBucket } from '../../infra/local/seeds.ts';
import { createConsole } from '../../infra/local/console/create-console.ts';
import { givenService } from '../support/given-service.ts';

const service = givenService({ beside: createConsole });

/** A call to each listener of a run, as the SDK, curl or a page would send it, but without a signature or key. */
const calls: Readonly<Record<string, () => { url: string; headers: Record<string, string>; body: string }>> = {
  dynamodb: () => ({
    url: service.run.endpoints.dynamodb,
    headers: { 'x-amz-target': 'DynamoDB_20120810.Scan', 'content-type': 'application/x-amz-json-1.0' },
    body: '{"TableName":"Partners"}',
  }),
  'secrets manager': () => ({
    url: service.run.endpoints.secretsmanager,
    headers: { 'x-amz-target': 'secretsmanager.GetSecretValue' },
    body: '{"SecretId":"plangrep/api-key"}',
  }),
  eventbridge: () => ({
    url: service.run.endpoints.eventbridge,
    headers: { 'x-amz-target': 'AWSEvents.PutEvents' },
    body: '{"Entries":[{"Source":"partner.acme","DetailType":"Job Cancellation Requested","Detail":"{}"}]}',
  }),
  queue: () => ({
    url: service.run.endpoints.sqs,
    headers: { 'x-amz-target': 'AmazonSQS.GetQueueAttributes' },
    body: '{"QueueUrl":"x"}',
  }),
  kms: () => ({
    url: service.run.endpoints.kms,
    headers: { 'x-amz-target': 'TrentService.GetPublicKey' },
    body: '{"KeyId":"alias/plangrep-cancellation-local-seal"}',
  }),
  s3: () => ({ url: `${service.run.endpoints.s3}/${archiveBucket}/records/x`, headers: {}, body: 'x' }),
  'api gateway': () => ({ url: `${service.run.endpoints.apigateway}/apikeys`, headers: {}, body: '{"name":"x"}' }),
  simulator: () => ({ url: `${service.run.plangrepUrl}/simulator/jobs`, headers: {}, body: '{"id":"job_foreign"}' }),
  console: () => ({ url: `${service.run.baseUrl}/console/api/mood`, headers: {}, body: '{"mood":"slow"}' }),
};
const names = Object.keys(calls);
/** What a call without a signature or key is answered. */
const unsigned = (name: string): readonly number[] => (name === 's3' ? [403] : [400, 401]);

async function send(name: string, headers: Readonly<Record<string, string>>, method = 'POST') {
  const call = calls[name]?.();
  if (call === undefined) throw new Error(`there is no ${name}`);
  const response = await new Promise<{ status: number; headers: object; body: string }>((resolve, reject) => {
    const sent = httpRequest(call.url, { method, headers: { ...call.headers, ...headers } }, (answer) => {
      const { statusCode: status = 0, headers: received } = answer;
      text(answer).then((body) => resolve({ status, headers: received, body }), reject);
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? call.body : undefined);
  });
  // Whatever is sent: no page may read the answer, and nothing has happened.
  expect(Object.keys(response.headers).filter((header) => header.startsWith('access-control-'))).toEqual([]);
  expect(service.run.simulator.job('job_foreign')).toBeUndefined();
  expect(service.run.simulator.faults.waiting()).toEqual([]);
  expect(service.run.queue.waiting()).toEqual([]);
  expect(response.body).not.toMatch(/pcg_|pgk_|secretHash/);
  return response;
}

test.each(names)('the %s answers no one who has no key of the run', async (name) => {
  const { status, body } = await send(name, {});

  expect(unsigned(name)).toContain(status);
  expect(body).not.toContain('Only requests to 127.0.0.1');
});

test.each(names)('the %s answers no name but those of this machine, so that DNS rebinding fails', async (name) => {
  for (const Host of [
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil.example:1',
    '0.0.0.0',
  ]) {
    expect((await send(name, { Host })).status, Host).toBe(403);
  }
});

test.each(names)('the %s answers no page of another origin', async (name) => {
  const foreign: readonly Record<string, string>[] = [
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: 'http://127.0.0.1:1' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ];
  for (const headers of foreign) {
    expect((await send(name, headers)).status, JSON.stringify(headers)).toBe(403);
  }
  const preflight = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' };
  expect((await send(name, preflight, 'OPTIONS')).status).toBe(403);
});

test.each(names)('the %s allows nothing to a page even where the page has its own origin', async (name) => {
  const { host, origin } = new URL(calls[name]?.().url ?? '');

  expect(unsigned(name)).toContain((await send(name, { Host: host, Origin: origin })).status);
});

test.each<[string, string, string]>([
  ['dynamodb', 'dynamodb', 'DynamoDB_20120810.Scan'],
  ['secretsmanager', 'secretsmanager', 'secretsmanager.GetSecretValue'],
  ['sqs', 'sqs', 'AmazonSQS.GetQueueAttributes'],
  ['kms', 'kms', 'TrentService.Sign'],
] as const)('a partner has no access to %s with the key that puts its events', async (name, awsService, target) => {
  const { endpoints, partners } = service.run;
  const [acme] = partners;
  if (acme === undefined) throw new Error('a local run has partners');
  const url = new Map<string, string>(Object.entries(endpoints)).get(name) ?? '';

  const answer = await callSigned(url, acme.aws, { service: awsService, target, body: '{"TableName":"Partners"}' });

  expect(await answer.json()).toMatchObject({ __type: 'UnrecognizedClientException' });
});

test.each(['dynamodb', 'secrets manager', 'eventbridge', 'queue', 'api gateway', 'kms', 's3'])(
  'the %s refuses a key of another run',
  async (name) => {
    const { accessKeyId } = createAccessKey();
    const day = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const scope = `${accessKeyId}/${day.slice(0, 8)}/eu-west-1/any/aws4_request`;
    const Authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;

    const { status, body } = await send(name, { Authorization, 'X-Amz-Date': day });

    expect({ status, body }).toMatchObject({
      status: name === 's3' ? 403 : 400,
      body: expect.stringContaining('The security token included in the request is invalid.'),
    });
  },
);
