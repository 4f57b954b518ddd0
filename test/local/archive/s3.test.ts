import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAccessKey, createSigner } from '../../../infra/local/aws/access-keys.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import { type LocalS3, startLocalS3 } from '../../../infra/local/aws/s3/local-s3.ts';
import { callS3, elements, type S3Options, type S3Response, sha256Header } from './call-s3.ts';

const writer = createAccessKey();
let s3: LocalS3;
beforeEach(async () => {
  s3 = await startLocalS3({
    callers: [
      {
        accessKey: writer,
        mayCall: ({ action, bucket, key }) => `${action} ${bucket}/${key}` === 's3:PutObject b-1/in/x',
      },
    ],
    buckets: { 'b-1': undefined },
  });
});
afterEach(() => s3.close());

const call = (method: string, target: string, options?: S3Options): Promise<S3Response> =>
  callS3(s3, method, target, options);
const put = (key: string, body = key): Promise<S3Response> => call('PUT', `/b-1/${key}`, { body });
const list = async (
  query: string,
): Promise<{ keys: string[]; prefixes: string[]; next: string | undefined; body: string }> => {
  const { body } = await call('GET', `/b-1?list-type=2&${query}`);
  const prefixes = elements(body.replace(/^.*?<\/MaxKeys>/s, ''), 'Prefix');
  return { keys: elements(body, 'Key'), prefixes, next: elements(body, 'NextContinuationToken')[0], body };
};

describe('An object of the local S3', () => {
  test('comes back with its type, its metadata, its ETag and its version', async () => {
    const headers = { 'Content-Type': 'text/plain', 'Content-Language': 'de', 'x-amz-meta-made-by': 'a test' };
    const written = await call('PUT', '/b-1/a%20key/%C3%BC+%26', { headers, body: 'text' });
    const read = await call('GET', '/b-1/a%20key/%C3%BC+%26');

    expect(read).toMatchObject({ status: 200, body: 'text' });
    expect(Object.fromEntries(read.headers)).toMatchObject({
      'content-type': 'text/plain',
      'content-language': 'de',
      'x-amz-meta-made-by': 'a test',
      etag: `"${createHash('md5').update('text').digest('hex')}"`,
      'x-amz-version-id': written.headers.get('x-amz-version-id'),
    });
    expect((await list('')).keys).toEqual(['a key/ü+&amp;']);
    expect((await list('encoding-type=url')).keys).toEqual(['a%20key/%C3%BC%2B%26']);
  });

  test('keeps its versions when it is overwritten', async () => {
    const versions = [];
    for (const body of ['one', 'two', 'three']) versions.push((await put('key', body)).headers.get('x-amz-version-id'));

    expect(await call('GET', '/b-1/key')).toMatchObject({ body: 'three' });
    expect(await call('GET', `/b-1/key?versionId=${versions[0]}`)).toMatchObject({ body: 'one' });
    const { body } = await call('GET', '/b-1?versions');
    expect(elements(body, 'VersionId')).toEqual(versions.toReversed());
    expect(elements(body, 'IsLatest')).toEqual(['true', 'false', 'false']);
  });

  test('is replaced in a bucket without versioning, and deleted for good', async () => {
    await call('PUT', '/b-2');
    await call('PUT', '/b-2/key', { body: 'one' });
    const second = await call('PUT', '/b-2/key', { body: 'two' });

    expect(second.headers.has('x-amz-version-id')).toBe(false);
    expect(elements((await call('GET', '/b-2?versions')).body, 'VersionId')).toEqual(['null']);
    expect(await call('GET', '/b-2/key')).toMatchObject({ body: 'two' });
    const deleted = await call('DELETE', '/b-2/key');
    expect(deleted.headers.has('x-amz-delete-marker')).toBe(false);
    expect(await call('GET', '/b-2?versions')).toMatchObject({
      body: expect.not.stringMatching(/<Version>|<DeleteMarker>/),
    });
    expect(await call('DELETE', '/b-2/key')).toMatchObject({ status: 204 });
  });

  test.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=5-2', 200, '0123456789', null],
    ['bytes=0-1,3-4', 200, '0123456789', null],
  ])('is read in part: %s', async (Range, status, body, range) => {
    await put('key', '0123456789');

    const read = await call('GET', '/b-1/key', { headers: { Range } });

    expect(read).toMatchObject({ status, body });
    expect(read.headers.get('content-range')).toBe(range);
    expect(await call('GET', '/b-1/key', { headers: { Range: 'bytes=10-' } })).toMatchObject({ code: 'InvalidRange' });
  });

  test('is described by HeadObject without its body', async () => {
    await put('key', '0123456789');

    const { status, headers, body } = await call('HEAD', '/b-1/key');

    expect({ status, body, length: headers.get('content-length') }).toEqual({ status: 200, body: '', length: '10' });
    expect(await call('HEAD', '/b-1/none')).toMatchObject({ status: 404, body: '' });
  });

  test('is written once under If-None-Match: *, also by ten at the same time', async () => {
    const headers = { 'If-None-Match': '*' };
    const tries = Array.from({ length: 10 }, (_, one) => call('PUT', '/b-1/key', { headers, body: `${one}` }));

    const statuses = (await Promise.all(tries)).map(({ status }) => status);

    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(9);
    await call('DELETE', '/b-1/key');
    expect(await call('PUT', '/b-1/key', { headers })).toMatchObject({ status: 200 });
  });

  test('is written and read under If-Match', async () => {
    const etag = (await put('key')).headers.get('etag') ?? '';
    const wrong = { 'If-Match': '"0"' };

    expect(await call('GET', '/b-1/key', { headers: wrong })).toMatchObject({ status: 412 });
    expect(await call('PUT', '/b-1/key', { headers: wrong })).toMatchObject({ status: 412 });
    expect(await call('PUT', '/b-1/none', { headers: wrong })).toMatchObject({ code: 'NoSuchKey' });
    expect(await call('GET', '/b-1/key', { headers: { 'If-Match': etag } })).toMatchObject({ status: 200 });
    expect(await call('GET', '/b-1/key', { headers: { 'If-None-Match': etag } })).toMatchObject({ status: 304 });
    expect(await call('PUT', '/b-1/key', { headers: { 'If-Match': etag } })).toMatchObject({ status: 200 });
  });
});

describe('The checksum of an upload', () => {
  // Those of "123456789" in the catalogue of CRC algorithms; the digests are those that `sha1sum` and `sha256sum` print.
  const checks: Readonly<Record<string, string>> = {
    crc32: 'cbf43926',
    crc32c: 'e3069283',
    crc64nvme: 'ae8b14860a799888',
    sha1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
    sha256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  };

  test.each(Object.entries(checks))('is verified, and comes back when it is asked for: %s', async (name, hex) => {
    const checksum = { [`x-amz-checksum-${name}`]: Buffer.from(hex, 'hex').toString('base64') };

    expect(await call('PUT', '/b-1/key', { headers: checksum, body: '123456789' })).toMatchObject({ status: 200 });
    expect(await call('PUT', '/b-1/key', { headers: checksum, body: '123456780' })).toMatchObject({
      code: 'BadDigest',
    });

    const asked = await call('GET', '/b-1/key', { headers: { 'x-amz-checksum-mode': 'ENABLED' } });
    expect(Object.fromEntries(asked.headers)).toMatchObject(checksum);
    expect((await call('GET', '/b-1/key')).headers.has(`x-amz-checksum-${name}`)).toBe(false);
  });

  const { 'x-amz-checksum-sha256': right = '' } = sha256Header('one two');
  const chunked = (body: string, length = 7) =>
    call('PUT', '/b-1/key', {
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        'x-amz-decoded-content-length': String(length),
        'x-amz-trailer': 'x-amz-checksum-sha256',
      },
      body,
    });

  test('is taken from the trailer of a body in chunks', async () => {
    const body = `4\r\none \r\n3\r\ntwo\r\n0\r\nx-amz-checksum-sha256:${right}\r\n\r\n`;

    expect(await chunked(body)).toMatchObject({ status: 200 });

    const read = await call('GET', '/b-1/key', { headers: { 'x-amz-checksum-mode': 'ENABLED' } });
    expect(read).toMatchObject({ body: 'one two' });
    expect(read.headers.get('x-amz-checksum-sha256')).toBe(right);
    expect(read.headers.has('content-encoding')).toBe(false);
  });

  test.each([
    ['another checksum', `7\r\none two\r\n0\r\nx-amz-checksum-sha256:${right.toLowerCase()}\r\n\r\n`, 'BadDigest'],
    ['another trailer', `7\r\none two\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n`, 'MalformedTrailerError'],
    ['no trailer', '7\r\none two\r\n0\r\n\r\n', 'MalformedTrailerError'],
    ['another length', `6\r\none tw\r\n0\r\nx-amz-checksum-sha256:${right}\r\n\r\n`, 'IncompleteBody'],
    ['a chunk that is cut', '7\r\none t', 'IncompleteBody'],
    ['no chunks', 'one two', 'IncompleteBody'],
  ])('is missed in a body in chunks with %s', async (_what, body, code) => {
    expect(await chunked(body)).toMatchObject({ status: 400, code });
    expect(await call('GET', '/b-1/key')).toMatchObject({ status: 404 });
  });
});

describe('A list', () => {
  test('has the keys in the order of their bytes, page by page', async () => {
    const keys = ['a', 'a/1', 'b', 'é', '～', '😀'];
    for (const key of keys.toReversed()) await put(encodeURIComponent(key).replace('%2F', '/'));
    await call('DELETE', '/b-1/b');

    const pages: string[][] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const page = await list(`max-keys=2${next && `&continuation-token=${next}`}`);
      pages.push(page.keys);
      ({ next } = page);
    }

    expect(pages).toEqual([['a', 'a/1'], ['é', '～'], ['😀']]);
    expect((await list('start-after=a/1')).keys).toEqual(['é', '～', '😀']);
    expect(await list('prefix=a')).toMatchObject({ keys: ['a', 'a/1'], next: undefined });
    expect((await call('GET', '/b-1?list-type=2&continuation-token=*')).code).toBe('InvalidArgument');
  });

  test('shows what is below a delimiter as common prefixes, each once, over pages too', async () => {
    for (const key of ['x/1/a', 'x/1/b', 'x/2/a', 'x/3', 'y']) await put(key);

    expect(await list('delimiter=/')).toMatchObject({ keys: ['y'], prefixes: ['x/'] });
    expect(await list('delimiter=/&prefix=x/')).toMatchObject({ keys: ['x/3'], prefixes: ['x/1/', 'x/2/'] });
    const first = await list('delimiter=/&prefix=x/&max-keys=1');
    const second = await list(`delimiter=/&prefix=x/&max-keys=1&continuation-token=${first.next}`);
    const third = await list(`delimiter=/&prefix=x/&max-keys=1&continuation-token=${second.next}`);
    expect([first, second].map(({ prefixes }) => prefixes)).toEqual([['x/1/'], ['x/2/']]);
    expect(third).toMatchObject({ keys: ['x/3'], prefixes: [], next: undefined });
  });

  test('of versions goes on in the middle of a key', async () => {
    for (const body of ['one', 'two', 'three']) await put('a', body);
    await call('DELETE', '/b-1/a');
    await put('b');
    const whole = elements((await call('GET', '/b-1?versions')).body, 'VersionId');

    const found: string[] = [];
    let markers = '';
    for (let page = 0; page < 5; page += 1) {
      const { body } = await call('GET', `/b-1?versions&max-keys=1${markers}`);
      found.push(...elements(body, 'VersionId'));
      const [key] = elements(body, 'NextKeyMarker');
      markers = `&key-marker=${key}&version-id-marker=${elements(body, 'NextVersionIdMarker')[0]}`;
      expect(elements(body, 'IsTruncated')).toEqual([page < 4 ? 'true' : 'false']);
    }

    expect(whole).toHaveLength(5);
    expect(found.toSorted()).toEqual(whole.toSorted());
  });

  test('of buckets has all of them', async () => {
    await call('PUT', '/a-bucket');

    expect(elements((await call('GET', '/')).body, 'Name')).toEqual(['a-bucket', 'b-1']);
  });
});

describe('The local S3', () => {
  test.each([
    ['PUT', '/b-1', 'BucketAlreadyOwnedByYou', 409],
    ['PUT', '/No_Bucket', 'InvalidBucketName', 400],
    ['GET', '/none?list-type=2', 'NoSuchBucket', 404],
    ['PUT', '/none/key', 'NoSuchBucket', 404],
    ['GET', '/b-1/none', 'NoSuchKey', 404],
    ['GET', '/b-1/none?versionId=x', 'NoSuchVersion', 404],
    ['PUT', `/b-1/${'k'.repeat(1_025)}`, 'KeyTooLongError', 400],
    ['GET', '/b-1/%E0%A4', 'InvalidURI', 400],
    ['DELETE', '/b-1', 'NotImplemented', 501],
    ['GET', '/b-1', 'NotImplemented', 501],
    ['POST', '/b-1?delete', 'NotImplemented', 501],
    ['POST', '/b-1/key?uploads', 'NotImplemented', 501],
    ['PUT', '/b-1/key?partNumber=1&uploadId=x', 'NotImplemented', 501],
    ['PUT', '/b-1/key?legal-hold', 'NotImplemented', 501],
    ['PUT', '/b-1?policy', 'NotImplemented', 501],
    ['PUT', '/b-1?lifecycle', 'NotImplemented', 501],
    ['GET', '/b-1/key?response-content-type=text/html', 'NotImplemented', 501],
  ])('answers %s %s with %s', async (method, target, code, status) => {
    expect(await call(method, target)).toMatchObject({ code, status });
  });

  test.each([
    ['PUT', 'x-amz-copy-source', '/b-1/else'],
    ['PUT', 'x-amz-acl', 'public-read'],
    ['PUT', 'x-amz-server-side-encryption', 'aws:kms'],
    ['PUT', 'x-amz-storage-class', 'GLACIER'],
    ['PUT', 'x-amz-tagging', 'a=b'],
    ['GET', 'if-modified-since', 'Thu, 26 Nov 2026 00:00:00 GMT'],
  ])('plays no %s with %s, and does not ignore it', async (method, header, value) => {
    await put('key', 'before');

    expect(await call(method, '/b-1/key', { headers: { [header]: value }, body: '' })).toMatchObject({ status: 501 });
    expect(await call('GET', '/b-1/key')).toMatchObject({ body: 'before' });
  });

  test.each([
    '<',
    '<A>',
    '<VersioningConfiguration/><A/>',
    '<VersioningConfiguration>x',
    '<!DOCTYPE a [<!ENTITY b "c">]>',
  ])('refuses XML that is not well-formed: %s', async (body) => {
    expect(await call('PUT', '/b-1?versioning', { body })).toMatchObject({ status: 400, code: 'MalformedXML' });
  });

  test('answers only its keys, and lets each do what its role says', async () => {
    expect(await call('GET', '/b-1/in/x', { key: createAccessKey() })).toMatchObject({ code: 'InvalidAccessKeyId' });
    const guessed = { ...s3.accessKey, secretAccessKey: 'guessed' };
    expect(await call('GET', '/b-1/in/x', { key: guessed })).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch',
    });
    expect((await fetch(`${s3.url}/b-1/in/x`)).status).toBe(403);
    expect((await fetch(`${s3.url}/b-1/in/x`, { headers: { Origin: 'http://evil.example' } })).status).toBe(403);

    expect(await call('PUT', '/b-1/in/x', { key: writer })).toMatchObject({ status: 200 });
    expect(await call('PUT', '/b-1/in/y', { key: writer })).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(await call('GET', '/b-1/in/x', { key: writer })).toMatchObject({ status: 403, code: 'AccessDenied' });
    const lock = {
      'x-amz-object-lock-mode': 'COMPLIANCE',
      'x-amz-object-lock-retain-until-date': '2999-01-01T00:00:00Z',
    };
    expect(await call('PUT', '/b-1/in/x', { headers: { ...lock, ...sha256Header('') }, key: writer })).toMatchObject({
      status: 403,
    });
  });

  test('refuses a body that is not the one that was signed, and a signature for another service', async () => {
    const { host, hostname } = new URL(s3.url);
    const sign = (service: string, body: string) =>
      createSigner(s3.accessKey, localRegion, service, true).sign({
        method: 'PUT',
        protocol: 'http:',
        hostname,
        path: '/b-1/key',
        headers: { Host: host },
        body,
      });
    const [mine, other] = await Promise.all([sign('s3', 'signed'), sign('sqs', 'text')]);

    const changed = await fetch(`${s3.url}/b-1/key`, { method: 'PUT', headers: mine.headers, body: 'forged' });
    const foreign = await fetch(`${s3.url}/b-1/key`, { method: 'PUT', headers: other.headers, body: 'text' });

    expect([changed.status, foreign.status]).toEqual([403, 403]);
    expect(await call('GET', '/b-1/key')).toMatchObject({ status: 404 });
  });

  test('refuses a bucket of another account', async () => {
    const headers = { 'x-amz-expected-bucket-owner': '111122223333' };

    expect(await call('PUT', '/b-1/key', { headers })).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  test('is listed with the whole second in which it was written, as S3 does', async () => {
    await put('key');

    const { body } = await list('');

    expect(elements(body, 'LastModified').map((time) => time.slice(-5))).toEqual(['.000Z']);
  });

  test('fails as often as a test asks for, and counts its calls', async () => {
    s3.fail(1);

    expect(await put('key')).toMatchObject({ status: 500, code: 'InternalError' });
    expect(await put('key')).toMatchObject({ status: 200 });
    expect(s3.requests).toEqual({ PutObject: 2 });
  });

  test('takes at most 16 MiB at once', async () => {
    const body = Buffer.alloc(16 * 1024 * 1024 + 1);

    expect(await call('PUT', '/b-1/key', { body })).toMatchObject({ status: 400, code: 'EntityTooLarge' });
  });

  test('says when its memory is full, and has room again after a deletion', async () => {
    const small = await startLocalS3({ buckets: { b: undefined, 'b-1': undefined }, maxBytes: 10_000 });
    const body = 'x'.repeat(5_000);
    const first = await callS3(small, 'PUT', '/b-1/one', { body });

    expect(await callS3(small, 'PUT', '/b-1/two', { body })).toMatchObject({
      status: 507,
      code: 'InsufficientStorage',
    });
    await callS3(small, 'DELETE', `/b-1/one?versionId=${first.headers.get('x-amz-version-id')}`);
    expect(await callS3(small, 'PUT', '/b-1/two', { body })).toMatchObject({ status: 200 });
    await small.close();
  });
});
