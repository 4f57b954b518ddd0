import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Environment } from '../../../infra/blueprint/environment-schema.ts';
import { environments } from '../../../infra/blueprint/environments.ts';
import { type AskAws, createAskAws } from '../../../infra/cli/preflight/ask-aws.ts';
import type { Finding } from '../../../infra/cli/preflight/finding.ts';
import {
  exitCodeBeforeDeployment,
  exitCodeOf,
  type PreflightPorts,
  type Report,
  runPreflight,
} from '../../../infra/cli/preflight/run-preflight.ts';
import { accountId, certificateArn, healthyAccount, region } from './recorded-accounts.ts';
import { type Answers, json, type RecordedAws, startRecordedAws } from './recorded-aws.ts';

const { staging } = environments;
/** Staging of a company that replaced what the repository was published with. */
export const adopted: Environment = {
  ...staging,
  account: accountId,
  alarmAddresses: { page: ['oncall@plangrep.com'], ticket: ['team@plangrep.com'] },
  partners: [{ partnerId: 'acme', principal: 'arn:aws:iam::310987654321:role/acme' }],
};
/** In an account that holds what it reserves. */
export const settled: Environment = { ...adopted, concurrency: { ...staging.concurrency, account: 1_000 } };
export const domain = {
  name: 'cancel.plangrep.com',
  certificateArn,
  hostedZone: { id: 'Z0123456789', name: 'plangrep.com' },
};
export const withDomain: Environment = { ...settled, domain };
export const service = 'plangrep-cancellation-staging';
export const now = Date.parse('2026-11-26T12:00:00Z');
export const putKey = 'npm run ops -- plangrep-key put --environment staging';
export const inFile = 'for staging in infra/blueprint/environments.ts';

/** What the healthy account is changed to, and what preflight then finds of it. */
export interface Defect {
  readonly environment?: Environment;
  readonly answers?: Answers;
  readonly ports?: Partial<PreflightPorts>;
  readonly finding: Finding;
}

export interface GivenPreflight {
  readonly aws: () => RecordedAws;
  readonly askAws: () => AskAws;
  look(environment: Environment, answers: Answers, ports?: Partial<PreflightPorts>): Promise<Report>;
  /** That the defect is found, nothing else is, and only what would break a deployment stops it. */
  expectOnly(defect: Defect): Promise<void>;
}

/** AWS on 127.0.0.1 for the tests of this file, and preflight on it. By default with bundles for Lambda, and a key that Plangrep accepts. */
export function givenPreflight(): GivenPreflight {
  const bundles = folderWith('bundle-0a1b.js.arm64-13.6.233.17-node.53-gc.cache');
  let aws: RecordedAws;
  beforeAll(async () => {
    aws = await startRecordedAws();
  });
  afterAll(() => aws.close());
  const askAws = () =>
    createAskAws({
      region,
      credentials: () => Promise.resolve(aws.accessKey),
      variables: { AWS_ENDPOINT_URL: aws.url },
      firstPauseMs: 1,
    });
  const look: GivenPreflight['look'] = (environment, answers, ports = {}) => {
    aws.answer(answers);
    const tryKey = () => Promise.resolve({ kind: 'accepted' } as const);
    return runPreflight(environment, { ask: askAws(), now, bundles, tryKey, ...ports });
  };
  return {
    aws: () => aws,
    askAws,
    look,
    async expectOnly({ environment = settled, answers = {}, ports = {}, finding }) {
      const report = await look(environment, { ...healthyAccount, ...without(answers), ...answers }, ports);
      const { check, state, isOfOperation } = finding;
      const others = report.findings.filter((one) => one.state !== 'ok' && one.check !== check);

      expect(report.findings.filter((one) => one.check === check)).toEqual([finding]);
      expect(others.filter((one) => one.check !== 'code caches')).toEqual([]);
      expect(exitCodeOf(report)).toBe(state === 'fix' ? 1 : 0);
      expect(exitCodeBeforeDeployment(report)).toBe(state === 'fix' && isOfOperation !== true ? 1 : 0);
    },
  };
}

/** No function has a reservation. */
export function nothingReserved(): Answers {
  return Object.fromEntries(
    Object.keys(healthyAccount)
      .filter((call) => call.startsWith('lambda:GetFunctionConcurrency'))
      .map((call) => [call, json(200, {})]),
  );
}

/** Takes away the exact answer where a defect gives one for all. */
function without(answers: Answers): Answers {
  const general = Object.keys(answers).filter((call) => !call.includes(' '));
  return Object.fromEntries(
    Object.keys(healthyAccount).flatMap((call) => {
      const given = general.find((one) => call.startsWith(`${one} `));
      const answer = given === undefined ? undefined : answers[given];
      return answer === undefined ? [] : [[call, answer]];
    }),
  );
}

/** A folder of bundles, with this file in it. */
export function folderWith(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'preflight-'));
  mkdirSync(join(folder, 'register-job'));
  writeFileSync(join(folder, 'register-job', name), '');
  return folder;
}
