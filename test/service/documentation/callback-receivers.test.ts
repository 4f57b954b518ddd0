import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import {
  callbackMutations,
  callbackOfNow,
  callbackSecrets,
  forgeCallbacks,
  signBySpecification,
} from '../../support/callback-mutations.ts';

const toSign = callbackOfNow();

describe("the published library for TypeScript, with the receiver's secret", () => {
  const { valid, previous } = callbackSecrets;
  const verify = ({ headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string }) =>
    new Webhook(valid).verify(body, { ...headers });

  test.each([
    ['its version', [valid]],
    ['both versions, during a rotation', [previous, valid]],
  ])('accepts a signature of %s', (_name, secrets) => {
    expect(verify(signBySpecification({ ...toSign, secrets }))).toEqual(JSON.parse(toSign.body));
  });

  test('there are twelve mutations', () => {
    expect(Object.keys(callbackMutations)).toHaveLength(12);
  });

  test.each(forgeCallbacks(toSign))('refuses $mutation', (forged) => {
    expect(() => verify(forged)).toThrow(
      /^(No matching signature found|Missing required headers|Message timestamp .*)$/,
    );
  });
});
