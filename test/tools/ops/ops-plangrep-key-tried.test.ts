import { createServer } from 'node:http';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { CannotDo } from '../../../infra/cli/command.ts';
import { putPlangrepKey } from '../../../infra/cli/plangrep-key/ops-plangrep-key.ts';
import type { Place } from '../../../infra/cli/places/place.ts';
import { createProgress } from '../../../infra/cli/terminal.ts';
import { listenOnLoopback, localRegion } from '../../../infra/local/aws/loopback.ts';
import { plangrepSecretId } from '../../../infra/local/seeds.ts';
import { givenOps } from '../../support/given-ops.ts';
import { type Ended, onlyLine } from '../../support/run-command.ts';

const ops = givenOps();
const keys = ['pgk_first_12345678', 'pgk_second_1234567', 'pgk_third_12345678'] as const;
const [first, second, third] = keys;
const ended: Ended[] = [];
const run = async (line: string, stdin = ''): Promise<Ended> => {
  const one = await ops.run(line, { stdin });
  ended.push(one);
  return one;
};
const simulator = () => {
  const { simulator: found } = ops.service.run;
  if (found === undefined) throw new Error('the run has no simulator');
  return found;
};
const secrets = () =>
  new SecretsManagerClient({
    endpoint: ops.service.run.endpoints.secretsmanager,
    region: localRegion,
    credentials: ops.service.run.aws,
  });
const currentKey = async () =>
  (await secrets().send(new GetSecretValueCommand({ SecretId: plangrepSecretId }))).SecretString;

afterAll(() => {
  const shown = ended.map(({ stdout, stderr }) => stdout + stderr).join('');
  for (const key of keys) expect(shown).not.toContain(key);
  expect(ended.length).toBeGreaterThan(6);
});

describe('plangrep-key', () => {
  test('puts no key that Plangrep rejects', async () => {
    const before = await currentKey();
    const refused = await run('plangrep-key put --yes', first);

    expect(refused.code).toBe(1);
    expect(onlyLine(refused)).toBe(
      'Plangrep rejects this key (401): it is unknown, revoked or expired. Nothing was done.',
    );
    expect(await currentKey()).toBe(before);
  });

  test('puts a key that Plangrep accepts, tried with one read of a job that does not exist', async () => {
    simulator().setApiKey(first);
    const asked = simulator().requests.all().length;
    const done = await run('plangrep-key put --yes', `${first}\n`);

    expect(done).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Plangrep: accepted.') });
    expect(simulator().requests.all().slice(asked)).toMatchObject([{ method: 'GET', kind: 'read', authorized: true }]);
    expect(await currentKey()).toBe(first);
  });

  test('goes back to the key before and forth again, each tried first and none shown', async () => {
    for (const key of [first, second]) {
      simulator().setApiKey(key);
      await run('plangrep-key put --yes', key);
    }
    simulator().setApiKey(first);
    const asked = await run('plangrep-key back');
    const back = await run('plangrep-key back --yes --json');
    const afterBack = await currentKey();
    const rejected = await run('plangrep-key back --yes');
    const afterRejection = await currentKey();
    simulator().setApiKey(second);
    const forth = await run('plangrep-key back --yes');

    expect(asked).toMatchObject({ code: 2, stderr: expect.stringMatching(/^Return to the Plangrep key of 20\d\d-/) });
    expect(back).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(back.stdout)).toMatchObject({ plangrep: 'accepted' });
    expect(rejected).toMatchObject({ code: 1, stderr: expect.stringContaining('Plangrep rejects this key') });
    expect([afterBack, afterRejection]).toEqual([first, first]);
    expect(forth.code).toBe(0);
    expect(await currentKey()).toBe(second);
  });
});

test('the key is rotated as the runbook says, and no cancel is lost', async () => {
  const { plangrepUrl, aws } = ops.service.run;
  const own = (method: string) => {
    const Authorization = `Basic ${Buffer.from(`${aws.accessKeyId}:${aws.secretAccessKey}`).toString('base64')}`;
    return fetch(`${plangrepUrl}/simulator/keys`, { method, headers: { Authorization } });
  };
  const cancelled = async () => (await ops.service.cancel(await ops.service.newJob())).body['outcome'];
  const strangers = await Promise.all(
    ['POST', 'DELETE'].map((method) => fetch(`${plangrepUrl}/simulator/keys`, { method })),
  );
  const { apiKey } = z.object({ apiKey: z.string() }).parse(await (await own('POST')).json());
  const put = await run('plangrep-key put --yes', apiKey);
  const beside = await cancelled();
  const revoked = await own('DELETE');
  const after = await cancelled();
  const back = await run('plangrep-key back --yes');

  expect(strangers.map(({ status }) => status)).toEqual([401, 401]);
  expect(put.stdout).toContain('Plangrep: accepted.');
  expect(await revoked.json()).toEqual({ keys: 1 });
  expect([beside, after]).toEqual(['cancelled', 'cancelled']);
  expect(onlyLine(back)).toMatch(/^Plangrep rejects this key/);
  expect(await currentKey()).toBe(apiKey);
  expect(`${put.stdout}${back.stderr}${ops.service.run.logs.join('')}`).not.toContain(apiKey);
});

describe('where Plangrep cannot say, plangrep-key put says so and asks', () => {
  const answering = (status: number) => createServer((_, response) => response.writeHead(status).end('{}'));
  test.each([
    { how: 'no server', status: undefined, why: /no connection to http/ },
    { how: 'a 500', status: 500, why: /500/ },
    { how: 'a 403, which an unknown job may get too', status: 403, why: /403/ },
    { how: 'a 429', status: 429, why: /429/ },
  ])('$how', async ({ status, why }) => {
    const server = answering(status ?? 200);
    const port = await listenOnLoopback(server, 0);
    if (status === undefined) await new Promise((closed) => server.close(closed));
    const put = async (answers: readonly boolean[]) => {
      const questions: string[] = [];
      const shown: unknown[] = [];
      const terminal = {
        json: true,
        show: (document: unknown) => void shown.push(document),
        progress: createProgress({ write: () => true }),
        readSecret: () => Promise.resolve<string>(third),
        confirm: (question: string) => {
          questions.push(question);
          return answers[questions.length - 1] === true ? Promise.resolve() : Promise.reject(new CannotDo(1, 'No.'));
        },
      };
      const place: Pick<Place, 'environment' | 'where' | 'secretsManager' | 'plangrepUrl' | 'secretId'> = {
        environment: 'local',
        where: 'here',
        secretsManager: secrets(),
        plangrepUrl: `http://127.0.0.1:${port}`,
        secretId: () => Promise.resolve(plangrepSecretId),
      };
      const values = { environment: undefined, region: undefined, json: true, yes: false };
      const code = await putPlangrepKey
        .run({ place: place as Place, terminal, values, argument: '', now: Date.now() })
        .catch(({ exitCode }: CannotDo) => exitCode);
      return { code, questions, shown };
    };
    const before = await currentKey();
    const no = await put([true, false]);
    const between = await currentKey();
    const yes = await put([true, true]);
    const after = await currentKey();
    server.close();
    simulator().setApiKey(second);
    await run('plangrep-key put --yes', second);

    expect(no).toMatchObject({ code: 1, shown: [] });
    expect(no.questions[1]).toMatch(/^The key could not be tried: /);
    expect(no.questions[1]).toMatch(why);
    expect(between).toBe(before);
    expect(yes).toMatchObject({ code: 0, shown: [{ plangrep: 'not tried' }] });
    expect(after).toBe(third);
    expect(JSON.stringify([no, yes])).not.toContain(third);
  });
});
