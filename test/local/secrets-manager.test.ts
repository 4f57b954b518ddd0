import { randomUUID } from 'node:crypto';
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { callSigned, createAccessKey } from '../../infra/local/aws/access-keys.ts';
import { type LocalSecretsManager, startSecretsManager } from '../../infra/local/aws/secrets-manager.ts';

let local: LocalSecretsManager;
let client: SecretsManagerClient;
beforeEach(async () => {
  local = await startSecretsManager({ secrets: { 'a/secret': 'first' } });
  const credentials = local.accessKey;
  client = new SecretsManagerClient({ endpoint: local.url, region: 'us-east-1', credentials, maxAttempts: 1 });
});
afterEach(async () => {
  client.destroy();
  await local.close();
});

const get = (input: { SecretId: string; VersionId?: string; VersionStage?: string }) =>
  client.send(new GetSecretValueCommand(input));
const put = (SecretId: string, SecretString: string, ClientRequestToken?: string) =>
  client.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken }));

describe('the local Secrets Manager', () => {
  test('gives a secret by name, by ARN, and by ARN without its suffix', async () => {
    const { ARN = '', Name, VersionStages, CreatedDate } = await get({ SecretId: 'a/secret' });
    expect({ Name, VersionStages }).toEqual({ Name: 'a/secret', VersionStages: ['AWSCURRENT'] });
    expect(CreatedDate).toBeInstanceOf(Date);
    expect((await get({ SecretId: ARN })).SecretString).toBe('first');
    expect((await get({ SecretId: ARN.replace(/-\w{6}$/, '') })).SecretString).toBe('first');
  });

  test('keeps the previous version as AWSPREVIOUS, and older ones only under their id', async () => {
    const { VersionId: first } = await get({ SecretId: 'a/secret' });
    const { VersionId: second } = await put('a/secret', 'second');
    await put('a/secret', 'third');
    expect((await get({ SecretId: 'a/secret' })).SecretString).toBe('third');
    expect((await get({ SecretId: 'a/secret', VersionStage: 'AWSPREVIOUS' })).VersionId).toBe(second);
    expect(await get({ SecretId: 'a/secret', VersionId: String(first) })).toMatchObject({
      SecretString: 'first',
      VersionStages: [],
    });
  });

  test('moves AWSCURRENT to another version, and AWSPREVIOUS to the one that it leaves', async () => {
    const { VersionId: first } = await get({ SecretId: 'a/secret' });
    const { VersionId: second } = await put('a/secret', 'second');
    const move = (MoveToVersionId = '', RemoveFromVersionId?: string) =>
      client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: 'a/secret',
          VersionStage: 'AWSCURRENT',
          MoveToVersionId,
          RemoveFromVersionId,
        }),
      );

    await expect(move(first)).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(move(first, first)).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(move(randomUUID(), second)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect((await get({ SecretId: 'a/secret' })).SecretString).toBe('second');
    await move(first, second);
    expect((await get({ SecretId: 'a/secret' })).SecretString).toBe('first');
    expect((await get({ SecretId: 'a/secret', VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('second');
    await put('a/secret', 'third');
    expect((await get({ SecretId: 'a/secret', VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('first');
  });

  test('accepts a repeated put with one token, and rejects another value with it', async () => {
    const token = 'b8a7f1d2-0c34-4e56-9a78-1234567890ab';
    await put('a/secret', 'second', token);
    expect((await put('a/secret', 'second', token)).VersionId).toBe(token);
    await expect(put('a/secret', 'third', token)).rejects.toMatchObject({ name: 'ResourceExistsException' });
    expect(local.requests).toEqual({ PutSecretValue: 3 });
  });

  test('rejects an unknown secret, version or action', async () => {
    const notFound = { name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 400 } };
    await expect(get({ SecretId: 'b' })).rejects.toMatchObject(notFound);
    await expect(put('b', 'x')).rejects.toMatchObject(notFound);
    await expect(get({ SecretId: 'a/secret', VersionStage: 'AWSPENDING' })).rejects.toMatchObject(notFound);
    await expect(client.send(new ListSecretsCommand())).rejects.toThrow('not ListSecrets');
  });

  test('lets a caller do what its role allows, with the secrets that it names', async () => {
    const reader = createAccessKey();
    const shared = await startSecretsManager({
      secrets: { mine: 'value', other: 'value' },
      callers: [
        {
          accessKey: reader,
          mayCall: ({ action, secretName }) => action === 'secretsmanager:GetSecretValue' && secretName === 'mine',
        },
      ],
    });
    onTestFinished(() => shared.close());
    const as = new SecretsManagerClient({
      endpoint: shared.url,
      region: 'us-east-1',
      credentials: reader,
      maxAttempts: 1,
    });
    onTestFinished(() => as.destroy());

    const denied = { name: 'AccessDeniedException' };
    expect(await as.send(new GetSecretValueCommand({ SecretId: 'mine' }))).toMatchObject({ SecretString: 'value' });
    await expect(as.send(new GetSecretValueCommand({ SecretId: 'other' }))).rejects.toMatchObject(denied);
    const change = new PutSecretValueCommand({ SecretId: 'mine', SecretString: 'x' });
    await expect(as.send(change)).rejects.toMatchObject(denied);
  });

  test('fails as often as a test asks for', async () => {
    local.fail(1);
    await expect(get({ SecretId: 'a/secret' })).rejects.toMatchObject({ name: 'InternalServiceError' });
    expect((await get({ SecretId: 'a/secret' })).SecretString).toBe('first');
  });

  test.each([
    ['secretsmanager.GetSecretValue', '{', 'SerializationException'],
    ['secretsmanager.GetSecretValue', '{}', 'InvalidParameterException'],
    ['secretsmanager.toString', '{}', 'UnknownOperationException'],
    ['', '', 'UnknownOperationException'],
  ])('rejects the call "%s" with the body "%s"', async (target, body, type) => {
    const response = await callSigned(local.url, local.accessKey, { service: 'secretsmanager', target, body });
    expect([response.status, await response.json()]).toEqual([
      400,
      { __type: type, message: expect.stringMatching(/\w+/) },
    ]);
  });
});
