import { createHash } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { Hash } from '@smithy/core/serde';
import { describe, expect, test } from 'vitest';
import { createAccessKey, createSigner, findSigner, type SignedRequest } from '../../infra/local/aws/access-keys.ts';

class Sha256 extends Hash {
  constructor(secret?: ConstructorParameters<typeof Hash>[1]) {
    super('sha256', secret);
  }
}

const key = createAccessKey();
const other = createAccessKey();

/** A call as the SDK signs it. */
async function signed(
  credentials = key,
  {
    headers = {},
    signingDate = new Date(),
    body = '{"a":1}',
  }: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly signingDate?: Date;
    readonly body?: string;
  } = {},
): Promise<SignedRequest> {
  const signer = new SignatureV4({ credentials, region: 'eu-west-1', service: 'events', sha256: Sha256 });
  const { headers: all } = await signer.sign(
    {
      method: 'POST',
      protocol: 'http:',
      hostname: '127.0.0.1',
      path: '/',
      headers: { host: '127.0.0.1:1', 'x-amz-target': 'AWSEvents.PutEvents', ...headers },
      body,
    },
    { signingDate },
  );
  return { method: 'POST', url: '/', headers: all, body: Buffer.from(body) };
}
const withHeaders = (request: SignedRequest, headers: SignedRequest['headers']): SignedRequest => ({
  ...request,
  headers: { ...request.headers, ...headers },
});

describe('The signer of a request', () => {
  test('is the owner of the key', async () => {
    expect(await findSigner([other, key], await signed())).toEqual({ kind: 'known', accessKeyId: key.accessKeyId });
  });

  test.each<[string, () => Promise<SignedRequest>, string]>([
    [
      'nothing is signed',
      async () => withHeaders(await signed(), { authorization: undefined }),
      'MissingAuthenticationToken',
    ],
    [
      'the scheme is another',
      async () => withHeaders(await signed(), { authorization: 'Bearer x' }),
      'IncompleteSignature',
    ],
    [
      'the time is missing',
      async () => withHeaders(await signed(), { 'x-amz-date': undefined }),
      'IncompleteSignature',
    ],
    ['the key is unknown', () => signed(createAccessKey()), 'UnrecognizedClient'],
    ['the secret is wrong', () => signed({ ...key, secretAccessKey: other.secretAccessKey }), 'InvalidSignature'],
    ['the secret is empty', () => signed({ ...key, secretAccessKey: '' }), 'InvalidSignature'],
    ['it is six minutes old', () => signed(key, { signingDate: new Date(Date.now() - 360_000) }), 'InvalidSignature'],
    ['it is from the future', () => signed(key, { signingDate: new Date(Date.now() + 360_000) }), 'InvalidSignature'],
    ['the body was changed', async () => ({ ...(await signed()), body: Buffer.from('{"a":2}') }), 'InvalidSignature'],
    [
      'the body and its digest were changed',
      async () => {
        const body = Buffer.from('{"a":2}');
        const digest = createHash('sha256').update(body).digest('hex');
        return { ...withHeaders(await signed(), { 'x-amz-content-sha256': digest }), body };
      },
      'InvalidSignature',
    ],
    [
      'the body is declared unsigned',
      () => signed(key, { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }),
      'InvalidSignature',
    ],
    ['the path was changed', async () => ({ ...(await signed()), url: '/else' }), 'InvalidSignature'],
    ['the query was changed', async () => ({ ...(await signed()), url: '/?a=1' }), 'InvalidSignature'],
    ['the method was changed', async () => ({ ...(await signed()), method: 'PUT' }), 'InvalidSignature'],
    ['the host was changed', async () => withHeaders(await signed(), { host: '127.0.0.1:2' }), 'InvalidSignature'],
    ['the action was changed', async () => withHeaders(await signed(), { 'x-amz-target': 'A.B' }), 'InvalidSignature'],
    ['an action was added', async () => withHeaders(await signed(), { 'x-amz-else': 'A.B' }), 'InvalidSignature'],
  ])('is unknown when %s', async (_what, request, type) => {
    expect(await findSigner([key, other], await request())).toMatchObject({
      kind: 'unknown',
      type: `${type}Exception`,
    });
  });

  test('of a request to another service is not known to S3, and the other way round', async () => {
    const { pathname: url, host } = new URL('http://127.0.0.1:1/a%20key');
    const body = Buffer.from('text');
    const signedFor = async (service: string): Promise<SignedRequest> => {
      const signer = createSigner(key, 'eu-west-1', service, true);
      const request = { method: 'PUT', protocol: 'http:', hostname: '127.0.0.1', path: url, headers: { host }, body };
      return { method: 'PUT', url, headers: (await signer.sign(request)).headers, body };
    };
    const [s3, sqs] = await Promise.all([signedFor('s3'), signedFor('sqs')]);

    expect(await findSigner([key], s3, 's3')).toMatchObject({ kind: 'known' });
    expect(await findSigner([key], sqs)).toMatchObject({ kind: 'known' });
    expect(await findSigner([key], s3)).toMatchObject({ kind: 'unknown' });
    expect(await findSigner([key], sqs, 's3')).toMatchObject({ kind: 'unknown' });
  });
});
