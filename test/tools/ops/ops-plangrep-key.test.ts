import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPlangrepKey } from '../../../functions/adapters/plangrep/plangrep-key.ts';
import { systemClock } from '../../../functions/compose/surroundings.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import { type LocalSecretsManager, startSecretsManager } from '../../../infra/local/aws/secrets-manager.ts';
import { CannotDo } from '../../../infra/cli/command.ts';
import { putPlangrepKey, returnToPlangrepKey } from '../../../infra/cli/plangrep-key/ops-plangrep-key.ts';
import { createProgress } from '../../../infra/cli/terminal.ts';
import { placeWith } from '../../support/place-with.ts';

let endpoint: LocalSecretsManager;
beforeAll(async () => {
  endpoint = await startSecretsManager({ secrets: { key: 'pgk_before' } });
});
afterAll(() => endpoint.close());

describe('plangrep-key put', () => {
  test.each([
    ['pgk_plain_1234567', true],
    [' pgk_plain_123456\n', true],
    ['pgk_plain_12345', false],
    [`pgk_plain_12345 `, false],
    ['two words of a key', false],
    ['pgk_umläut_1234567', false],
    ['{"apiKey":"pgk_json_1234567"}', true],
    ['{"apiKey":"pgk_json_123456"}', false],
    ['{ "apiKey": " pgk_json_1234567 ", "note": "x" }', true],
    ['{"apiKey":""}', false],
    ['{"apiKey":5}', false],
    ['{"key":"pgk_json_1234567"}', false],
    ['{not json, but long', false],
    ['"quoted, and long"', false],
    ['a_line_and_a_line\nbreak', false],
  ])('takes %j exactly when the service would: %s', async (value, isKey) => {
    const { client, place, terminal, shown } = givenPlace('key', value);
    const values = { environment: undefined, region: undefined, json: true, yes: true };
    const given = { values, argument: '', now: Date.now() };
    const isTaken = await putPlangrepKey.run({ place, terminal, ...given }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof CannotDo) return false;
        throw error;
      },
    );

    endpoint.put('key', value);
    const service = createPlangrepKey({ client, secretId: 'key', clock: systemClock, report: () => undefined });
    const isRead = await service.get().then(
      () => true,
      () => false,
    );
    expect({ isTaken, isRead }).toEqual({ isTaken: isKey, isRead: isKey });
    expect(JSON.stringify(shown)).not.toContain(value);
  });
});

/** A place with a secret of that name, and a terminal that types `value` and says yes. */
function givenPlace(secretId: string, value: string) {
  const client = new SecretsManagerClient({
    endpoint: endpoint.url,
    region: localRegion,
    credentials: endpoint.accessKey,
  });
  const place = placeWith({ where: endpoint.url, secretsManager: client, secretId: () => Promise.resolve(secretId) });
  const shown: unknown[] = [];
  const terminal = {
    json: true,
    show: (...said: unknown[]) => void shown.push(said),
    confirm: () => Promise.resolve(),
    progress: createProgress({ write: () => true }),
    readSecret: () => Promise.resolve(value),
  };
  return { client, place, terminal, shown };
}

test('plangrep-key back says when there is no key before the current one', async () => {
  endpoint.put('only', 'pgk_the_only_12345');
  const { client, place, terminal, shown } = givenPlace('only', '');
  const values = { environment: undefined, region: undefined, json: true, yes: true };
  const back = (): Promise<unknown> =>
    returnToPlangrepKey.run({ place, terminal, values, argument: '', now: Date.now() });

  await expect(back()).rejects.toThrow(/^There is no key before the current one \(local\): put one\.$/);
  endpoint.put('only', 'pgk_another_123456');
  await expect(back()).resolves.toBe(0);
  const service = createPlangrepKey({ client, secretId: 'only', clock: systemClock, report: () => undefined });
  expect(await service.get()).toBe('pgk_the_only_12345');
  expect(JSON.stringify(shown)).not.toContain('pgk_');
  // Without a Plangrep to ask, as in a sandbox.
  expect(shown).toMatchObject([[{ plangrep: 'not tried' }, expect.anything()]]);
});
