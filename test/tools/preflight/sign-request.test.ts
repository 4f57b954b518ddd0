import { expect, test } from 'vitest';
import { signRequest, type UnsignedRequest } from '../../../infra/cli/preflight/sign-request.ts';
import { createAccessKey, findSigner } from '../../../infra/local/aws/access-keys.ts';

const key = createAccessKey();
const where = { region: 'eu-central-1', service: 'lambda' };

/** What the SDK's own signer makes of the request that would be sent. */
async function signerOf(request: UnsignedRequest, signedBy: Parameters<typeof signRequest>[1]) {
  const headers = signRequest(request, signedBy, { ...where, now: new Date() });
  const url = `${request.url.pathname}${request.url.search}`;
  return findSigner([key], { method: request.method, url, headers, body: Buffer.from(request.body) });
}

const get = (path: string): UnsignedRequest => ({
  method: 'GET',
  url: new URL(path, 'http://127.0.0.1:8000'),
  headers: { accept: 'application/json' },
  body: '',
});

test.each([
  get('/'),
  get('/2016-08-19/account-settings'),
  get('/restapis?limit=500&position=a%2Fb%3D%3D%20c'),
  get('/functions/a%20b:live/concurrency?x=*&y=%27(!)'),
  { ...get('/'), method: 'POST' as const, body: 'Action=GetCallerIdentity&Version=2011-06-15' },
  { ...get('/'), method: 'POST' as const, body: JSON.stringify({ Name: 'größer €' }) },
])('$method $url.href $body is signed as the SDK signs it', async (request) => {
  const known = { kind: 'known', accessKeyId: key.accessKeyId };

  expect(await signerOf(request, key)).toEqual(known);
  expect(await signerOf(request, { ...key, sessionToken: 'token/of+a=session' })).toEqual(known);
});

test('another secret makes another signature', async () => {
  expect(await signerOf(get('/'), { ...key, secretAccessKey: 'another' })).toMatchObject({ kind: 'unknown' });
});

test('the time, the body and the session are signed: a request that was changed on the way is refused', async () => {
  const request = { ...get('/'), method: 'POST' as const, body: 'Action=GetCallerIdentity' };
  const headers = signRequest(request, { ...key, sessionToken: 'mine' }, { ...where, now: new Date() });
  const sent = { method: 'POST', url: '/', headers, body: Buffer.from(request.body) };

  expect(await findSigner([key], sent)).toMatchObject({ kind: 'known' });
  expect(await findSigner([key], { ...sent, body: Buffer.from('Action=DeleteUser') })).toMatchObject({
    kind: 'unknown',
  });
  const otherSession = { ...headers, 'x-amz-security-token': 'another' };
  expect(await findSigner([key], { ...sent, headers: otherSession })).toMatchObject({ kind: 'unknown' });
});
