import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readWhoErases } from '../../../infra/cli/erase/who-erases.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import { type RecordedAws, startRecordedAws } from '../preflight/recorded-aws.ts';

const arn = 'arn:aws:sts::111122223333:assumed-role/plangrep-cancellation-prod-erase-texts/marta';
const identity = `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>${arn}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`;

let aws: RecordedAws;
beforeAll(async () => {
  aws = await startRecordedAws();
});
afterAll(() => aws.close());
beforeEach(() => {
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const ask = () => {
  const dynamodb = new DynamoDBClient({ region: localRegion, credentials: aws.accessKey });
  return readWhoErases({ environment: 'prod', region: localRegion, dynamodb });
};

describe('who erases', () => {
  test('is the principal that AWS STS names to it, in a signed call', async () => {
    aws.answer({ 'sts:GetCallerIdentity': { status: 200, body: identity } });

    expect(await ask()).toBe(arn);
    expect(aws.calls).toEqual(['sts:GetCallerIdentity']);
  });

  test('must be known: nothing is erased without a name', async () => {
    aws.answer({ 'sts:GetCallerIdentity': { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' } });

    await expect(ask()).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('nothing was erased') });
  });
});
