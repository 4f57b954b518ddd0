import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { type AccessKey, callSigned, createAccessKey } from '../../../infra/local/aws/access-keys.ts';
import { type KmsCall, type LocalKms, startLocalKms } from '../../../infra/local/aws/kms/local-kms.ts';
import { signDigest, verifyDigest } from '../../../infra/local/aws/kms/sign-digest.ts';
import { hasAwsCli, runAwsCli } from '../../support/run-aws-cli.ts';
import { temporaryFolder } from '../arrange.ts';

const role = createAccessKey();
const message = Buffer.from('a digest file\n');
const digest = createHash('sha256').update(message).digest();
const signing = { SigningAlgorithm: 'ECDSA_SHA_256' };
const raw = { ...signing, Message: message.toString('base64'), MessageType: 'RAW' };
const digested = { ...signing, Message: digest.toString('base64'), MessageType: 'DIGEST' };

const answerSchema = z.looseObject({
  __type: z.optional(z.string()),
  KeyId: z.optional(z.string()),
  PublicKey: z.optional(z.string()),
  Signature: z.optional(z.string()),
  KeyMetadata: z.optional(z.looseObject({ KeyId: z.string(), Arn: z.string() })),
});

let calls: KmsCall[];
let kms: LocalKms;
beforeEach(async () => {
  calls = [];
  const mayCall = (asked: KmsCall): boolean => {
    calls.push(asked);
    return asked.action === 'kms:Sign' && asked.aliases.includes('alias/audit');
  };
  kms = await startLocalKms({ callers: [{ accessKey: role, mayCall }], aliases: ['alias/audit', 'alias/other'] });
});
afterEach(() => kms.close());

async function call(action: string, input: object, key: AccessKey = kms.accessKey, at = kms) {
  const response = await callSigned(at.url, key, {
    service: 'kms',
    target: `TrentService.${action}`,
    body: JSON.stringify(input),
  });
  return answerSchema.parse(await response.json());
}
async function publicKeyOf(KeyId: string, at = kms) {
  const { PublicKey = '' } = await call('GetPublicKey', { KeyId }, at.accessKey, at);
  return createPublicKey({ key: Buffer.from(PublicKey, 'base64'), format: 'der', type: 'spki' });
}
const signatureOf = async (input: object): Promise<Buffer> =>
  Buffer.from((await call('Sign', input)).Signature ?? '', 'base64');

describe('The local KMS', () => {
  test.each([
    ['a message', raw],
    ['its digest', digested],
  ])('signs %s so that Node verifies it with the exported public key', async (_what, input) => {
    const signature = await signatureOf({ KeyId: 'alias/audit', ...input });

    expect(verify('sha256', message, await publicKeyOf('alias/audit'), signature)).toBe(true);
    expect(verify('sha256', message, await publicKeyOf('alias/other'), signature)).toBe(false);
    expect(verify('sha256', Buffer.from('forged'), await publicKeyOf('alias/audit'), signature)).toBe(false);
  });

  test('verifies what it signed, in either way, and nothing else', async () => {
    const Signature = (await signatureOf({ KeyId: 'alias/audit', ...raw })).toString('base64');
    const asked = { KeyId: 'alias/audit', Signature };
    const Message = createHash('sha256').update('forged').digest('base64');

    expect(await call('Verify', { ...asked, ...raw })).toMatchObject({ SignatureValid: true });
    expect(await call('Verify', { ...asked, ...digested })).toMatchObject({ SignatureValid: true });
    const invalid = { __type: 'KMSInvalidSignatureException' };
    expect(await call('Verify', { ...asked, ...raw, KeyId: 'alias/other' })).toMatchObject(invalid);
    expect(await call('Verify', { ...asked, ...digested, KeyId: 'alias/other' })).toMatchObject(invalid);
    expect(await call('Verify', { ...asked, ...digested, Message })).toMatchObject(invalid);
    expect(await call('Verify', { ...asked, ...digested, Signature: 'AAAA' })).toMatchObject(invalid);
  });

  test('describes a key in the same way by its id, its ARN, its alias and the ARN of that', async () => {
    const { KeyMetadata } = await call('DescribeKey', { KeyId: 'alias/audit' });

    expect(KeyMetadata).toMatchObject({
      KeyUsage: 'SIGN_VERIFY',
      KeySpec: 'ECC_NIST_P256',
      SigningAlgorithms: ['ECDSA_SHA_256'],
      KeyState: 'Enabled',
    });
    const names = [KeyMetadata?.KeyId, KeyMetadata?.Arn, 'arn:aws:kms:eu-west-1:000000000000:alias/audit'];
    for (const KeyId of names) {
      expect(await call('DescribeKey', { KeyId })).toEqual({ KeyMetadata });
    }
  });

  test('rotates by a new key behind the alias, and the old one still verifies what it has signed', async () => {
    const { KeyMetadata: old } = await call('DescribeKey', { KeyId: 'alias/audit' });
    const Signature = (await signatureOf({ KeyId: 'alias/audit', ...raw })).toString('base64');

    const created = await call('CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    await call('UpdateAlias', { AliasName: 'alias/audit', TargetKeyId: created.KeyMetadata?.KeyId });

    expect((await call('Sign', { KeyId: 'alias/audit', ...raw })).KeyId).toBe(created.KeyMetadata?.Arn);
    expect(await call('Verify', { KeyId: old?.KeyId, ...raw, Signature })).toMatchObject({ SignatureValid: true });
    expect(await call('Verify', { KeyId: 'alias/audit', ...raw, Signature })).toMatchObject({
      __type: 'KMSInvalidSignatureException',
    });
    expect(await call('ListAliases', { KeyId: old?.KeyId })).toMatchObject({ Aliases: [] });
    expect(await call('ListAliases', {})).toMatchObject({
      Aliases: [{ AliasName: 'alias/audit', TargetKeyId: created.KeyMetadata?.KeyId }, { AliasName: 'alias/other' }],
    });
  });

  test('lets a caller do with each key what its role says', async () => {
    const TargetKeyId = (await call('DescribeKey', { KeyId: 'alias/other' })).KeyMetadata?.KeyId;
    const denied = { __type: 'AccessDeniedException' };

    expect(await call('Sign', { KeyId: 'alias/audit', ...raw }, role)).toHaveProperty('Signature');
    expect(await call('Sign', { KeyId: 'alias/other', ...raw }, role)).toMatchObject(denied);
    expect(await call('GetPublicKey', { KeyId: 'alias/audit' }, role)).toMatchObject(denied);
    expect(await call('UpdateAlias', { AliasName: 'alias/audit', TargetKeyId }, role)).toMatchObject(denied);
    expect(await call('CreateAlias', { AliasName: 'alias/new', TargetKeyId }, role)).toMatchObject(denied);
    expect(await call('CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }, role)).toMatchObject(denied);
    expect(calls[0]).toEqual({
      action: 'kms:Sign',
      keyArn: expect.stringMatching(/^arn:aws:kms:eu-west-1:000000000000:key\/[\w-]{36}$/),
      aliases: ['alias/audit'],
    });
    expect(await call('Sign', { KeyId: 'alias/audit', ...raw }, createAccessKey())).toMatchObject({
      __type: 'UnrecognizedClientException',
    });
  });

  test.each([
    ['a key that is not there', 'Sign', { KeyId: 'alias/none', ...raw }, 'NotFoundException'],
    ['another algorithm', 'Sign', { ...raw, SigningAlgorithm: 'RSASSA_PSS_SHA_256' }, 'InvalidKeyUsageException'],
    ['a digest of another length', 'Sign', { ...digested, Message: 'AAAA' }, 'ValidationException'],
    ['an empty message', 'Sign', { ...raw, Message: '' }, 'ValidationException'],
    [
      'a message over 4,096 bytes',
      'Sign',
      { ...raw, Message: Buffer.alloc(4_097).toString('base64') },
      'ValidationException',
    ],
    ['what it does not play', 'Sign', { ...raw, DryRun: true }, 'ValidationException'],
    ['another kind of key', 'CreateKey', { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }, 'ValidationException'],
    [
      'an alias that is there',
      'CreateAlias',
      { AliasName: 'alias/other', TargetKeyId: 'alias/audit' },
      'AlreadyExistsException',
    ],
    [
      'an alias that is not there',
      'UpdateAlias',
      { AliasName: 'alias/none', TargetKeyId: 'alias/audit' },
      'NotFoundException',
    ],
    ['a deletion', 'ScheduleKeyDeletion', {}, 'UnknownOperationException'],
  ])('refuses %s', async (_what, action, input, type) => {
    const isOnKey = action === 'Sign';

    expect(await call(action, { ...(isOnKey && { KeyId: 'alias/audit' }), ...input })).toMatchObject({ __type: type });
  });

  test('keeps its keys over a restart, in a file for the owner alone', async () => {
    const statePath = join(temporaryFolder(), 'kms.json');
    const first = await startLocalKms({ aliases: ['alias/audit'], statePath });
    const before = (await publicKeyOf('alias/audit', first)).export({ format: 'pem', type: 'spki' });
    await first.close();

    const second = await startLocalKms({ aliases: ['alias/audit'], statePath });

    expect((await publicKeyOf('alias/audit', second)).export({ format: 'pem', type: 'spki' })).toBe(before);
    expect(statSync(statePath).mode & 0o777).toBe(0o600);
    await second.close();
    writeFileSync(statePath, readFileSync(statePath, 'utf8').replace(/BEGIN PRIVATE/, 'BEGIN SECRET'));
    await expect(startLocalKms({ statePath })).rejects.toThrow(`${statePath} is damaged: a key in it cannot be read.`);
  });
});

describe('A signature over a digest', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  test('is one that Node verifies, and the other way round, 100 times', () => {
    for (let round = 0; round < 100; round += 1) {
      const text = Buffer.from(`message ${round}`);
      const hash = createHash('sha256').update(text).digest();

      expect(verify('sha256', text, publicKey, signDigest(hash, privateKey))).toBe(true);
      expect(verifyDigest(hash, sign('sha256', text, privateKey), publicKey)).toBe(true);
    }
  });

  test('is not valid when a bit of it or of the digest is changed', () => {
    const signature = signDigest(digest, privateKey);
    for (let at = 0; at < signature.length; at += 1) {
      const changed = Buffer.from(signature);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(verifyDigest(digest, changed, publicKey)).toBe(false);
    }
    for (let at = 0; at < digest.length; at += 1) {
      const changed = Buffer.from(digest);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(verifyDigest(changed, signature, publicKey)).toBe(false);
    }
    expect(verifyDigest(digest, Buffer.alloc(0), publicKey)).toBe(false);
    expect(verifyDigest(digest, Buffer.from('3006020100020100', 'hex'), publicKey)).toBe(false);
  });
});

describe.runIf(hasOpenssl())('OpenSSL', () => {
  test.each([
    ['a message', raw],
    ['its digest', digested],
  ])('verifies a signature of %s with the exported public key, and no other', async (_what, input) => {
    const folder = temporaryFolder();
    const [file, signature, forged] = ['message', 'signature', 'forged'].map((name) => join(folder, name));
    const keys = ['audit', 'other'].map((name) => join(folder, `${name}.pem`));
    writeFileSync(String(file), message);
    writeFileSync(String(forged), 'a digest filE\n');
    writeFileSync(String(signature), await signatureOf({ KeyId: 'alias/audit', ...input }));
    for (const [at, alias] of ['alias/audit', 'alias/other'].entries()) {
      writeFileSync(String(keys[at]), (await publicKeyOf(alias)).export({ format: 'pem', type: 'spki' }));
    }
    const check = (key: unknown, of: unknown) =>
      execFileSync(
        'openssl',
        ['dgst', '-sha256', '-verify', String(key), '-signature', String(signature), String(of)],
        {
          encoding: 'utf8',
          stdio: 'pipe',
        },
      );

    expect(check(keys[0], file)).toBe('Verified OK\n');
    expect(() => check(keys[1], file)).toThrow('Command failed');
    expect(() => check(keys[0], forged)).toThrow('Command failed');
  });
});

describe.runIf(hasAwsCli())('the real AWS CLI at the local KMS', { timeout: 120_000 }, () => {
  test('signs, verifies, and exports the public key', async () => {
    const file = join(temporaryFolder(), 'digest');
    writeFileSync(file, digest);
    const aws = (...args: string[]) => runAwsCli(kms.url, ['kms', ...args, '--key-id', 'alias/audit'], kms.accessKey);
    const how = ['--message', `fileb://${file}`, '--message-type', 'DIGEST', '--signing-algorithm', 'ECDSA_SHA_256'];

    const { Signature = '' } = answerSchema.parse(await aws('sign', ...how));
    const { PublicKey = '' } = answerSchema.parse(await aws('get-public-key'));

    const key = createPublicKey({ key: Buffer.from(PublicKey, 'base64'), format: 'der', type: 'spki' });
    expect(verify('sha256', message, key, Buffer.from(Signature, 'base64'))).toBe(true);
    const signature = join(temporaryFolder(), 'signature');
    writeFileSync(signature, Buffer.from(Signature, 'base64'));
    expect(await aws('verify', ...how, '--signature', `fileb://${signature}`)).toMatchObject({ SignatureValid: true });
    await expect(aws('schedule-key-deletion')).rejects.toThrow('UnknownOperationException');
  });
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('OpenSSL is not installed on this machine: its tests are skipped.');
    return false;
  }
}
