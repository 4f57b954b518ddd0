import { describe, expect, test } from 'vitest';
import { environments } from '../../../infra/blueprint/environments.ts';
import { ofType, oneOf, statementsOf, synthesize, type Synthesized, synthesized } from './synthesized.ts';

const { dev } = environments;
const elsewhere = synthesize(
  { ...dev, archive: { ...dev.archive, bucketName: 'elsewhere' } },
  undefined,
  'not validated',
);
const rotated = synthesize({ ...dev, archive: { ...dev.archive, keys: 2 } }, undefined, 'not validated');

/** What a function's role is allowed whose actions begin like this. */
function allowedTo({ service }: Synthesized, fn: string, actions: string): string {
  const role = Object.entries(service).find(([id]) => id.startsWith(`${fn.replaceAll('-', '')}PermissionsRole`))?.[1];
  const statements = role === undefined ? [] : statementsOf(role);
  return JSON.stringify(statements.filter(({ Action }) => JSON.stringify(Action).includes(actions)));
}

describe('an archive in the bucket of another account', () => {
  test('leaves the stateful stack without that bucket', () => {
    expect(ofType(synthesized('dev').stateful, 'AWS::S3::Bucket').map(([id]) => id)).toContain('ArchiveBucket');
    expect(ofType(elsewhere.stateful, 'AWS::S3::Bucket')).toEqual([]);
    expect(ofType(elsewhere.stateful, 'AWS::S3::BucketPolicy')).toEqual([]);
  });

  test.each([
    ['archive-records', 'records'],
    ['seal-archive', 'digests'],
  ])('is where %s writes, and all of S3 that its role names', (fn, folder) => {
    const variables = Object.entries(elsewhere.service)
      .filter(([id, { Type }]) => Type === 'AWS::Lambda::Function' && id.startsWith(fn.replaceAll('-', '')))
      .map(([, { Properties }]) => Properties['Environment']);
    expect(variables).toEqual([{ Variables: expect.objectContaining({ ARCHIVE_BUCKET: 'elsewhere' }) }]);

    const allowed = allowedTo(elsewhere, fn, 's3:');
    expect(allowed).toContain(`:s3:::elsewhere/${folder}/*`);
    expect(allowed).not.toContain('ArchiveBucket');
  });
});

describe('a second key of the archive', () => {
  test('is the one that the alias names and the sealer may use', () => {
    expect(oneOf(rotated.stateful, 'AWS::KMS::Alias')['TargetKeyId']).toEqual({ 'Fn::GetAtt': ['SealKey2', 'Arn'] });
    const allowed = allowedTo(rotated, 'seal-archive', 'kms:Sign');
    expect(allowed).toContain('SealKey2');
    expect(allowed).not.toContain('SealKey1');
  });

  test('leaves the first as it was, which old digests are verified with', () => {
    expect(ofType(rotated.stateful, 'AWS::KMS::Key').map(([id]) => id)).toEqual(['SealKey1', 'SealKey2']);
    expect(rotated.stateful['SealKey1']).toEqual(synthesized('dev').stateful['SealKey1']);
    expect(rotated.stateful['SealKey2']).toMatchObject({ DeletionPolicy: 'Retain' });
  });
});
