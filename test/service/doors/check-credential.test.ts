import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { PartnerKey } from '../../../functions/core/ports.ts';
import { authorizationForm } from '../../../functions/contract/credential.ts';
import { checkCredential } from '../../../functions/doors/http/check-credential.ts';
import { acme } from '../../support/names.ts';

const now = Date.parse('2026-11-23T12:00:00.000Z');
const secret = randomBytes(32).toString('base64url');
const stored: PartnerKey = {
  partnerId: acme,
  secretHash: createHash('sha256').update(secret).digest('hex'),
  scopes: ['cancellations:read'],
};
const checkWith = (authorization: string, key: PartnerKey | undefined = stored) => {
  const asked: string[] = [];
  const readPartnerKey = async (keyId: string) => {
    asked.push(keyId);
    return keyId === 'AbCdEf123456' ? key : undefined;
  };
  const clock = { now: () => now };
  return { asked, credential: checkCredential({ readPartnerKey, clock, environment: 'prod' }, authorization) };
};
const token = (keyId = 'AbCdEf123456', environment = 'prod') => `pcg_${environment}_${keyId}_${secret}`;

describe('a credential', () => {
  test('has one form, which JavaScript, Java and the firewall read alike: no groups, no escapes, no classes by name', () => {
    expect(authorizationForm).toMatch(/^\^[^()\\|?*+.]+\$$/);
  });

  test('identifies the partner and its scopes', async () => {
    const credential = { kind: 'valid', partnerId: 'acme', keyId: 'AbCdEf123456', scopes: ['cancellations:read'] };

    expect(await checkWith(`Bearer ${token()}`).credential).toEqual(credential);
    expect(await checkWith(`BEARER ${token()}`).credential).toEqual(credential);
    expect(await checkWith(`bEaReR ${token()}`).credential).toEqual(credential);
  });

  test.each([
    ['no scheme', token()],
    ['another scheme', `Basic ${token()}`],
    ['no token', 'Bearer '],
    ['two spaces', `Bearer  ${token()}`],
    ['7,000 spaces', `Bearer${' '.repeat(7_000)}${token()}`],
    ['a tab', `Bearer\t${token()}`],
    ['a space in front', ` Bearer ${token()}`],
    ['another kind of token', `Bearer pgk_live_${secret}`],
    ['something behind it', `Bearer ${token()} x`],
    ['a line break', `Bearer ${token()}\n`],
    ['another environment’s', `Bearer ${token(undefined, 'dev')}`],
    ['a key id of another length', `Bearer ${token('AbC')}`],
  ])('is invalid without a read of the table: %s', async (_, authorization) => {
    const { asked, credential } = checkWith(authorization);

    expect(await credential).toEqual({ kind: 'invalid' });
    expect(asked).toEqual([]);
  });

  test.each<[string, string, Partial<PartnerKey>]>([
    ['unknown', `Bearer ${token('000000000000')}`, {}],
    ['wrong', `Bearer ${token().slice(0, -1)}${secret.endsWith('A') ? 'Q' : 'A'}`, {}],
    ['expired', `Bearer ${token()}`, { expiresAt: '2026-11-23T12:00:00.000Z' }],
    ['revoked', `Bearer ${token()}`, { revokedAt: '2026-11-23T11:00:00.000Z' }],
  ])('is rejected when it is %s', async (_, authorization, change) => {
    expect(await checkWith(authorization, { ...stored, ...change }).credential).toEqual({ kind: 'invalid' });
  });

  test('is valid until it expires', async () => {
    const key = { ...stored, expiresAt: '2026-11-23T12:00:00.001Z' };

    expect(await checkWith(`Bearer ${token()}`, key).credential).toMatchObject({ kind: 'valid' });
  });
});
