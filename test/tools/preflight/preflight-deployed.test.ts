import { describe, expect, onTestFinished, test } from 'vitest';
import { cacheUnusedCode } from '../../../infra/build/load-function.ts';
import { type Finding } from '../../../infra/cli/preflight/finding.ts';
import { showReport } from '../../../infra/cli/preflight/run-preflight.ts';
import { tryStoredKey } from '../../../infra/cli/preflight/try-stored-key.ts';
import { startPlangrepSimulator } from '../../../infra/local/plangrep/plangrep-simulator.ts';
import { givenPreflight, now, putKey, settled } from './given-preflight.ts';
import { healthyAccount } from './recorded-accounts.ts';
import { json, type Recorded } from './recorded-aws.ts';

const given = givenPreflight();

describe('the stored key', () => {
  test.each<[string, string, Finding]>([
    ['is read and tried', 'pgk_live_simulated', { check: "Plangrep's key", state: 'ok', found: 'Plangrep accepts it' }],
    [
      'is refused when it is another',
      'pgk_live_revoked_1',
      {
        check: "Plangrep's key",
        state: 'fix',
        isOfOperation: true,
        found: 'Plangrep answers 401: not a key, revoked or expired',
        fix: putKey,
      },
    ],
  ])('%s, and shown nowhere', async (_, SecretString, finding) => {
    const simulator = await startPlangrepSimulator({ apiKey: 'pgk_live_simulated', now: () => Date.now() });
    onTestFinished(() => simulator.close());
    given.aws().answer({ 'secretsmanager:GetSecretValue': json(200, { SecretString, VersionStages: ['AWSCURRENT'] }) });
    const trial = await tryStoredKey(given.askAws(), { name: 'staging', plangrepBaseUrl: simulator.url });
    const report = await given.look(settled, healthyAccount, { tryKey: () => Promise.resolve(trial) });

    expect(report.findings.filter(({ check }) => check === "Plangrep's key")).toEqual([finding]);
    expect(JSON.stringify(report) + showReport(report).join('\n')).not.toContain(SecretString);
  });

  test.each<[string, Recorded, string]>([
    [
      'no right to read it',
      json(400, { __type: 'AccessDeniedException' }),
      'needs the permission secretsmanager:GetSecretValue',
    ],
    ['an error', json(400, { __type: 'DecryptionFailure', Message: 'pgk_live_simulated' }), 'DecryptionFailure'],
  ])('is not judged with %s', async (_, answer, why) => {
    given.aws().answer({ 'secretsmanager:GetSecretValue': answer });

    expect(await tryStoredKey(given.askAws(), settled)).toEqual({ kind: 'unknown', why });
  });
});

describe('the code caches of deployed functions', () => {
  const findLog = () => Promise.resolve({ kind: 'found', name: 'reconcilecancellationsLogs' } as const);
  const started = {
    timestamp: now - 60_000,
    message: JSON.stringify({ type: 'platform.initStart', record: { runtimeVersion: 'nodejs:24.v12' } }),
  };
  const unusedAt = (timestamp: number) => ({
    timestamp,
    message: JSON.stringify({
      level: 'WARN',
      message: { code: cacheUnusedCode, v8: '13.7.1-node.1', processor: 'arm64' },
    }),
  });
  const lines = (...events: readonly object[]) => json(200, { events, searchedLogStreams: [] });
  const lookAtLogs = async (starts: Recorded, unused: Recorded) => {
    const answers = {
      'logs:FilterLogEvents { $.type = "platform.initStart" }': starts,
      [`logs:FilterLogEvents { $.message.code = "${cacheUnusedCode}" }`]: unused,
    };
    const { findings } = await given.look(settled, { ...healthyAccount, ...answers }, { findLog });
    return findings.filter(({ check }) => check === 'code caches');
  };

  test('are used when no start since says otherwise', async () => {
    const ok = [{ check: 'code caches', state: 'ok', found: 'used by nodejs:24.v12' }];

    expect(await lookAtLogs(lines(started), lines())).toEqual(ok);
    // An older version's.
    expect(await lookAtLogs(lines(started), lines(unusedAt(now - 3_600_000)))).toEqual(ok);
  });

  test('are not used when the newest start says so, with the V8 that it has', async () => {
    expect(await lookAtLogs(lines(started), lines(unusedAt(now - 59_000)))).toEqual([
      {
        check: 'code caches',
        state: 'advice',
        found: 'not used: nodejs:24.v12 has V8 13.7.1-node.1 on arm64, and the caches are of another',
        fix: 'build with the Node that has this V8: docs/deploy.md',
      },
    ]);
  });

  test('are not judged without a start, or without the right to read the log', async () => {
    expect(await lookAtLogs(lines(), lines())).toMatchObject([{ found: 'no function has started in the last day' }]);
    expect(await lookAtLogs(json(400, { __type: 'AccessDeniedException' }), lines())).toMatchObject([
      { found: 'needs the permission logs:FilterLogEvents' },
    ]);
    const unknown = () => Promise.resolve({ kind: 'unknown', why: 'no log group' } as const);
    expect((await given.look(settled, healthyAccount, { findLog: unknown })).findings.at(-1)).toEqual({
      check: 'code caches',
      state: 'not checked',
      found: 'no log group',
    });
  });
});
