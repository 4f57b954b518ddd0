import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bucketStatements, keyStatements } from '../../infra/blueprint/archive/archive-policies.ts';
import { environmentNames } from '../../infra/blueprint/environments.ts';
import { isDeniedBy } from './decide-request.ts';
import { oneOf, synthesized } from './stacks/synthesized.ts';

const place = { partition: 'aws', account: '444455556666', region: 'eu-central-1' };
const bucket = 'arn:aws:s3:::archive';
const role = (name: string) => `arn:aws:iam::444455556666:role/${name}`;
const deployment = role('cdk-hnb659fds-cfn-exec-role-444455556666-eu-central-1');

interface Call {
  readonly action: string;
  readonly on: string;
  readonly by: string;
  readonly 's3:if-none-match'?: string;
  readonly 'kms:MessageType'?: string;
}

function isDenied(statements: ReturnType<typeof bucketStatements>, { action, on, by, ...keys }: Call): boolean {
  const context = Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, [value]]));
  return isDeniedBy(statements, { action, on }, { ...context, 'aws:PrincipalArn': [by] });
}

const [archiver, sealer] = ['archive-records', 'seal-archive'].map((name) =>
  role(`plangrep-cancellation-prod-${name}`),
);
const admin = role('admin');

describe('the bucket’s policy', () => {
  const statements = bucketStatements(bucket, 'prod', place);
  const put = (key: string, by = '', once: string | undefined = '*') =>
    isDenied(statements, {
      action: 's3:PutObject',
      on: `${bucket}/${key}`,
      by,
      ...(once !== undefined && { 's3:if-none-match': once }),
    });

  test('lets each folder’s one writer put a name that is free, and denies every other put', () => {
    expect([put('records/a', archiver), put('digests/a', sealer), put('keys/a', sealer)]).toEqual([
      false,
      false,
      false,
    ]);

    for (const by of [admin, deployment, sealer]) expect(put('records/a', by)).toBe(true);
    for (const by of [admin, deployment, archiver]) {
      expect([put('digests/a', by), put('keys/a', by)]).toEqual([true, true]);
    }
    expect([put('other', archiver), put('other', sealer), put('recordsx', archiver)]).toEqual([true, true, true]);
  });

  test('denies a put without If-None-Match, which would write a version over another', () => {
    const overwrite: Call = { action: 's3:PutObject', on: `${bucket}/records/a`, by: archiver ?? '' };
    expect(isDenied(statements, overwrite)).toBe(true);
  });

  test.each([
    'DeleteObject',
    'DeleteObjectVersion',
    'PutObjectRetention',
    'PutObjectLegalHold',
    'BypassGovernanceRetention',
    'ReplicateObject',
    'ReplicateDelete',
  ])('denies %s to everyone', (action) => {
    for (const by of [admin, deployment, archiver ?? '', sealer ?? '']) {
      expect(isDenied(statements, { action: `s3:${action}`, on: `${bucket}/records/a`, by })).toBe(true);
    }
  });

  test.each(['DeleteBucketPolicy', 'PutBucketPolicy', 'PutLifecycleConfiguration', 'PutBucketObjectLockConfiguration'])(
    'lets only a deployment call %s',
    (action) => {
      const by = (who: string) => isDenied(statements, { action: `s3:${action}`, on: bucket, by: who });
      expect([by(deployment), by(admin), by(sealer ?? '')]).toEqual([false, true, true]);
    },
  );
});

describe('the key’s policy', () => {
  const statements = keyStatements('prod', place);
  const sign = (by = '', type = 'DIGEST') =>
    isDenied(statements, { action: 'kms:Sign', on: 'key', by, 'kms:MessageType': type });

  test('lets the sealer sign digests, and no one anything else', () => {
    expect([sign(sealer), sign(sealer, 'RAW'), sign(admin), sign(deployment), sign(archiver)]).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
  });

  test('lets only a deployment delete or disable it, and everyone in the account read its public half', () => {
    for (const action of ['kms:ScheduleKeyDeletion', 'kms:DisableKey', 'kms:PutKeyPolicy', 'kms:UpdateAlias']) {
      expect([admin, deployment].map((by) => isDenied(statements, { action, on: 'key', by }))).toEqual([true, false]);
    }
    expect(statements.find(({ Sid }) => Sid === 'EveryoneVerifies')).toMatchObject({
      Action: expect.arrayContaining(['kms:GetPublicKey']),
      Condition: { StringEquals: { 'kms:CallerAccount': [place.account] } },
    });
  });
});

test('docs/deploy.md prints the policy of a bucket in another account', () => {
  const [, command = ''] =
    /^ *npx node -e "(import.+)" > policy.json$/m.exec(readFileSync('docs/deploy.md', 'utf8')) ?? [];
  const filled = command
    .replace('<bucket>', 'elsewhere')
    .replace('<account>', place.account)
    .replace('<region>', place.region);

  const policy = JSON.parse(execFileSync(process.execPath, ['-e', filled], { encoding: 'utf8' }));

  const denials = bucketStatements('arn:aws:s3:::elsewhere', 'prod', place);
  const settings = denials.find(({ Sid }) => Sid === 'NoChangeOfSettingsByOthers');
  expect(policy.Statement).toEqual(expect.arrayContaining(denials.filter((one) => one !== settings)));
  // The other account would lock itself out.
  expect(JSON.stringify(policy)).not.toContain('s3:PutBucketPolicy');
  const allowed = policy.Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Allow');
  expect(allowed).toContainEqual({
    Effect: 'Allow',
    Principal: { AWS: archiver },
    Action: ['s3:GetObject', 's3:PutObject'],
    Resource: 'arn:aws:s3:::elsewhere/records/*',
  });
  expect(allowed).toHaveLength(5);
});

test.each(environmentNames)('in %s both are deployed as they are here', (name) => {
  const { stateful } = synthesized(name);
  const sids = (properties: unknown) =>
    [...JSON.stringify(properties).matchAll(/"Sid":"(\w+)"/g)].map(([, sid]) => sid);

  const ofBucket = sids(oneOf(stateful, 'AWS::S3::BucketPolicy'));
  expect(ofBucket).toEqual(expect.arrayContaining(bucketStatements(bucket, name, place).map(({ Sid }) => Sid)));
  expect(sids(oneOf(stateful, 'AWS::KMS::Key'))).toEqual(keyStatements(name, place).map(({ Sid }) => Sid));
});
