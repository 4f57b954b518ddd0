import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAccessKey } from '../../../infra/local/aws/access-keys.ts';
import { type LocalS3, startLocalS3 } from '../../../infra/local/aws/s3/local-s3.ts';
import { callS3, elements, type S3Options, type S3Response, sha256Header } from './call-s3.ts';

/**
 * Each behaviour is that of AWS's documentation:
 * [lock] https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * [managing] https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
 * [PutObjectRetention] https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
 * [PutObjectLockConfiguration] https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
 * [CreateBucket] https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 * [markers] https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
 */

const DAY = 86_400_000;
const START = Date.parse('2026-11-26T00:00:00Z');
const role = createAccessKey();
const bypass = { 'x-amz-bypass-governance-retention': 'true' };

let now = START;
let s3: LocalS3;
beforeEach(async () => {
  now = START;
  const mayCall = ({ action }: { readonly action: string }) => action !== 's3:BypassGovernanceRetention';
  s3 = await startLocalS3({
    now: () => now,
    callers: [{ accessKey: role, mayCall }],
    buckets: { plain: undefined, strict: { mode: 'COMPLIANCE', unit: 'Days', count: 10 } },
  });
});
afterEach(() => s3.close());

const call = (method: string, target: string, options?: S3Options) => callS3(s3, method, target, options);
const inDays = (days: number): string => new Date(START + days * DAY).toISOString();
const lockFor = (mode: string, days: number) => ({
  'x-amz-object-lock-mode': mode,
  'x-amz-object-lock-retain-until-date': inDays(days),
});
const put = (target: string, headers: Readonly<Record<string, string>> = {}, body = 'text'): Promise<S3Response> =>
  call('PUT', target, { headers: { ...sha256Header(body), ...headers }, body });
async function givenLocked(mode: string, days = 10): Promise<string> {
  const { headers, status } = await put('/plain/key', lockFor(mode, days));
  expect(status).toBe(200);
  return `/plain/key?versionId=${headers.get('x-amz-version-id')}`;
}
const retain = (target: string, mode?: string, days = 0, options: S3Options = {}): Promise<S3Response> => {
  const inside = mode === undefined ? '' : `<Mode>${mode}</Mode><RetainUntilDate>${inDays(days)}</RetainUntilDate>`;
  return call('PUT', target.replace('?', '?retention&'), { ...options, body: `<Retention>${inside}</Retention>` });
};
async function retentionOf(target: string): Promise<string[]> {
  const { body } = await call('GET', target.replace('?', '?retention&'));
  return [...elements(body, 'Mode'), ...elements(body, 'RetainUntilDate')];
}
const configure = (bucket: string, inside: string): Promise<S3Response> =>
  call('PUT', `/${bucket}?object-lock`, { body: `<ObjectLockConfiguration>${inside}</ObjectLockConfiguration>` });
const rule = (period: string) =>
  `<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode>${period}</DefaultRetention></Rule>`;

describe('A bucket with Object Lock', () => {
  test('has versioning from its creation [CreateBucket]', async () => {
    const headers = { 'x-amz-bucket-object-lock-enabled': 'true' };
    expect(await call('PUT', '/locked', { headers })).toMatchObject({ status: 200 });

    expect((await call('GET', '/locked?versioning')).body).toContain('<Status>Enabled</Status>');
    expect((await call('GET', '/locked?object-lock')).body).toContain('<ObjectLockEnabled>Enabled<');
  });

  test('keeps versioning for ever [managing]', async () => {
    const body = '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>';

    expect(await call('PUT', '/plain?versioning', { body })).toMatchObject({ status: 409, code: 'InvalidBucketState' });
    expect((await call('GET', '/plain?versioning')).body).toContain('<Status>Enabled</Status>');
  });

  test('keeps Object Lock for ever; only the default retention can be removed [managing]', async () => {
    expect(await configure('plain', '<ObjectLockEnabled>Disabled</ObjectLockEnabled>')).toMatchObject({ status: 400 });
    expect(await configure('strict', '<ObjectLockEnabled>Enabled</ObjectLockEnabled>')).toMatchObject({ status: 200 });

    const { body } = await call('GET', '/strict?object-lock');
    expect(body).toContain('<ObjectLockEnabled>Enabled<');
    expect(body).not.toContain('<Rule>');
  });

  test('can be made of one with versioning, and of no other [PutObjectLockConfiguration]', async () => {
    await call('PUT', '/later');
    expect(await call('GET', '/later?object-lock')).toMatchObject({
      status: 404,
      code: 'ObjectLockConfigurationNotFoundError',
    });
    expect(await configure('later', rule('<Days>1</Days>'))).toMatchObject({ status: 409, code: 'InvalidBucketState' });

    const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    await call('PUT', '/later?versioning', { body });

    expect(await configure('later', rule('<Years>2</Years>'))).toMatchObject({ status: 200 });
    expect((await call('GET', '/later?object-lock')).body).toContain('<Mode>GOVERNANCE</Mode><Years>2</Years>');
  });

  test.each(['', '<Days>1</Days><Years>1</Years>', '<Days>0</Days>', '<Days>36501</Days>', '<Years>101</Years>'])(
    'takes a default retention of days or of years, not "%s" [PutObjectLockConfiguration]',
    async (period) => {
      expect(await configure('plain', rule(period))).toMatchObject({ status: 400 });
      expect((await call('GET', '/plain?object-lock')).body).not.toContain('<Rule>');
    },
  );
});

describe('A new version', () => {
  test('gets the default retention of its bucket [lock]', async () => {
    const { headers } = await put('/strict/key');

    const target = `/strict/key?versionId=${headers.get('x-amz-version-id')}`;
    expect(await retentionOf(target)).toEqual(['COMPLIANCE', inDays(10)]);
    const shown = await call('HEAD', target);
    expect(shown.headers.get('x-amz-object-lock-mode')).toBe('COMPLIANCE');
    expect(shown.headers.get('x-amz-object-lock-retain-until-date')).toBe(inDays(10));
  });

  test('keeps it when the default changes [lock]', async () => {
    const { headers } = await put('/strict/key');
    await configure('strict', rule('<Days>1</Days>'));

    const target = `/strict/key?versionId=${headers.get('x-amz-version-id')}`;
    expect(await retentionOf(target)).toEqual(['COMPLIANCE', inDays(10)]);
  });

  test('has its own retention where the request brings one, also a shorter one [lock]', async () => {
    const { headers } = await put('/strict/key', lockFor('GOVERNANCE', 1));

    const target = `/strict/key?versionId=${headers.get('x-amz-version-id')}`;
    expect(await retentionOf(target)).toEqual(['GOVERNANCE', inDays(1)]);
  });

  test('has none in a bucket without a default', async () => {
    const { headers } = await put('/plain/key');

    const target = `/plain/key?retention&versionId=${headers.get('x-amz-version-id')}`;
    expect(await call('GET', target)).toMatchObject({ status: 404, code: 'NoSuchObjectLockConfiguration' });
  });

  test.each([
    ['without a mode', { 'x-amz-object-lock-retain-until-date': inDays(1) }, 'InvalidArgument'],
    ['without a date', { 'x-amz-object-lock-mode': 'COMPLIANCE' }, 'InvalidArgument'],
    ['with a date that has passed', lockFor('COMPLIANCE', -1), 'InvalidArgument'],
    [
      'with a date that is not one',
      { ...lockFor('COMPLIANCE', 1), 'x-amz-object-lock-retain-until-date': 'x' },
      'InvalidArgument',
    ],
    ['with another mode', lockFor('SOMETIMES', 1), 'InvalidArgument'],
    ['with a legal hold, which is not played', { 'x-amz-object-lock-legal-hold': 'ON' }, 'NotImplemented'],
  ])('is refused when it asks for a retention %s', async (_what, headers, code) => {
    expect(await put('/plain/key', headers)).toMatchObject({ code });
    expect((await call('GET', '/plain?versions')).body).not.toContain('<Version>');
  });

  test('is refused under a retention in a bucket without Object Lock', async () => {
    await call('PUT', '/unlocked');

    expect(await put('/unlocked/key', lockFor('COMPLIANCE', 1))).toMatchObject({ status: 400, code: 'InvalidRequest' });
  });

  test.each([
    ['its own', '/plain/key', lockFor('COMPLIANCE', 1)],
    ["its bucket's", '/strict/key', {}],
  ])('needs a checksum under a retention: %s [managing]', async (_what, target, headers) => {
    const md5 = { 'Content-MD5': 'HLKekoqdmUjIafLC/mg5Uw==' };

    expect(await call('PUT', target, { headers, body: 'text' })).toMatchObject({ status: 400, code: 'InvalidRequest' });
    expect(await call('PUT', target, { headers: { ...headers, ...md5 }, body: 'text' })).toMatchObject({
      code: 'BadDigest',
    });
    expect(await put(target, headers)).toMatchObject({ status: 200 });
  });

  test('comes on top of a locked one, which stays as it is [lock]', async () => {
    const locked = await givenLocked('COMPLIANCE');

    expect(await put('/plain/key', {}, 'forged')).toMatchObject({ status: 200 });

    expect(await call('GET', '/plain/key')).toMatchObject({ body: 'forged' });
    expect(await call('GET', locked)).toMatchObject({ body: 'text' });
  });
});

describe.each(['COMPLIANCE', 'GOVERNANCE'])('A version locked in %s mode', (mode) => {
  test('cannot be deleted before its date, and can from then on [lock]', async () => {
    const locked = await givenLocked(mode, 10);

    now = START + 10 * DAY - 1;
    expect(await call('DELETE', locked)).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(await call('GET', locked)).toMatchObject({ body: 'text' });
    now = START + 10 * DAY;
    expect(await call('DELETE', locked)).toMatchObject({ status: 204 });
    expect(await call('GET', locked)).toMatchObject({ status: 404, code: 'NoSuchVersion' });
  });

  test('can be hidden by a delete marker, which itself can be deleted [managing], [markers]', async () => {
    const locked = await givenLocked(mode);

    const deleted = await call('DELETE', '/plain/key');
    expect(deleted).toMatchObject({ status: 204 });
    expect(deleted.headers.get('x-amz-delete-marker')).toBe('true');
    const hidden = await call('GET', '/plain/key');
    expect(hidden).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect(hidden.headers.get('x-amz-delete-marker')).toBe('true');
    expect(await call('GET', locked)).toMatchObject({ body: 'text' });

    const marker = `/plain/key?versionId=${deleted.headers.get('x-amz-version-id')}`;
    expect(await call('GET', marker)).toMatchObject({ status: 405, code: 'MethodNotAllowed' });
    expect(await retain(marker, mode, 20)).toMatchObject({ status: 405 });
    expect(await call('DELETE', marker)).toMatchObject({ status: 204 });
    expect(await call('GET', '/plain/key')).toMatchObject({ status: 200, body: 'text' });
  });

  test('can be locked for longer, by everyone who may lock [lock]', async () => {
    const locked = await givenLocked(mode, 10);

    expect(await retain(locked, mode, 20, { key: role })).toMatchObject({ status: 200 });

    expect(await retentionOf(locked)).toEqual([mode, inDays(20)]);
    now = START + 15 * DAY;
    expect(await call('DELETE', locked)).toMatchObject({ status: 403 });
  });

  test('cannot be locked for less, or be unlocked [PutObjectRetention]', async () => {
    const locked = await givenLocked(mode, 10);

    expect(await retain(locked, mode, 9)).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(await retain(locked)).toMatchObject({ status: 403, code: 'AccessDenied' });

    expect(await retentionOf(locked)).toEqual([mode, inDays(10)]);
  });

  test('can be changed at will after its date', async () => {
    const locked = await givenLocked(mode, 10);

    now = START + 11 * DAY;
    expect(await retain(locked, 'GOVERNANCE', 12)).toMatchObject({ status: 200 });

    expect(await retentionOf(locked)).toEqual(['GOVERNANCE', inDays(12)]);
  });
});

describe('The bypass', () => {
  test('deletes, shortens and unlocks in GOVERNANCE mode [managing]', async () => {
    const locked = await givenLocked('GOVERNANCE', 10);

    expect(await retain(locked, 'GOVERNANCE', 5, { headers: bypass })).toMatchObject({ status: 200 });
    expect(await retentionOf(locked)).toEqual(['GOVERNANCE', inDays(5)]);
    expect(await retain(locked, undefined, 0, { headers: bypass })).toMatchObject({ status: 200 });
    expect(await call('DELETE', locked)).toMatchObject({ status: 204 });

    const other = await givenLocked('GOVERNANCE', 10);
    expect(await call('DELETE', other, { headers: bypass })).toMatchObject({ status: 204 });
  });

  test('is for those whose role has it [managing]', async () => {
    const locked = await givenLocked('GOVERNANCE', 10);

    expect(await call('DELETE', locked, { headers: bypass, key: role })).toMatchObject({ status: 403 });
    expect(await retain(locked, 'GOVERNANCE', 5, { headers: bypass, key: role })).toMatchObject({ status: 403 });

    expect(await retentionOf(locked)).toEqual(['GOVERNANCE', inDays(10)]);
  });

  test('does nothing in COMPLIANCE mode, for no one [lock]', async () => {
    const locked = await givenLocked('COMPLIANCE', 10);

    expect(await call('DELETE', locked, { headers: bypass })).toMatchObject({ status: 403 });
    expect(await retain(locked, 'COMPLIANCE', 5, { headers: bypass })).toMatchObject({ status: 403 });
    expect(await retain(locked, undefined, 0, { headers: bypass })).toMatchObject({ status: 403 });
    expect(await retain(locked, 'GOVERNANCE', 20, { headers: bypass })).toMatchObject({ status: 403 });

    expect(await retentionOf(locked)).toEqual(['COMPLIANCE', inDays(10)]);
  });

  test('is an error in a bucket without Object Lock', async () => {
    await call('PUT', '/unlocked');
    await put('/unlocked/key');

    expect(await call('DELETE', '/unlocked/key', { headers: bypass })).toMatchObject({ code: 'InvalidArgument' });
    expect(await call('GET', '/unlocked/key')).toMatchObject({ status: 200 });
  });
});

describe('PutObjectRetention', () => {
  test('locks a version that has no lock, and the current one where none is named', async () => {
    const { headers } = await put('/plain/key');

    expect(await retain('/plain/key?', 'COMPLIANCE', 3)).toMatchObject({ status: 200 });

    const target = `/plain/key?versionId=${headers.get('x-amz-version-id')}`;
    expect(await retentionOf(target)).toEqual(['COMPLIANCE', inDays(3)]);
  });

  test.each([
    ['a mode without a date', '<Mode>COMPLIANCE</Mode>'],
    ['a mode that is not one', `<Mode>NEVER</Mode><RetainUntilDate>${inDays(1)}</RetainUntilDate>`],
    ['a date that has passed', `<Mode>COMPLIANCE</Mode><RetainUntilDate>${inDays(-1)}</RetainUntilDate>`],
    ['something else', '<Hold>ON</Hold>'],
  ])('refuses %s', async (_what, inside) => {
    const { headers } = await put('/plain/key');
    const target = `/plain/key?retention&versionId=${headers.get('x-amz-version-id')}`;

    expect(await call('PUT', target, { body: `<Retention>${inside}</Retention>` })).toMatchObject({ status: 400 });
    expect(await call('GET', target)).toMatchObject({ status: 404 });
  });

  test('needs a bucket with Object Lock, an object and a version', async () => {
    await call('PUT', '/unlocked');
    await put('/unlocked/key');

    expect(await retain('/unlocked/key?', 'COMPLIANCE', 1)).toMatchObject({ code: 'InvalidRequest' });
    expect(await retain('/plain/none?', 'COMPLIANCE', 1)).toMatchObject({ code: 'NoSuchKey' });
    expect(await retain('/plain/none?versionId=x', 'COMPLIANCE', 1)).toMatchObject({ code: 'NoSuchVersion' });
  });
});
