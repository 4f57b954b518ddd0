import type { Environment } from '../../blueprint/environment-schema.ts';
import { CannotDo, type ExitCode } from '../command.ts';
import type { KeyTrial } from '../try-plangrep-key.ts';
import { type AskAws, inXml } from './ask-aws.ts';
import { checkAccount, checkBootstrap, checkServiceLinkedRole, lookAtStack } from './check-account.ts';
import { checkOwnFields, checkSubscriptions } from './check-addresses.ts';
import { checkBuiltCaches, checkUsedCaches, type LogGroup } from './check-code-caches.ts';
import { checkConcurrency } from './check-concurrency.ts';
import { checkDomain } from './check-domain.ts';
import {
  checkApiAccount,
  checkApis,
  checkFirewall,
  checkLogPolicies,
  checkTrails,
  checkUsagePlans,
} from './check-quotas.ts';
import { checkSecret } from './check-secret.ts';
import { type Checked, type Finding, showFindings } from './finding.ts';

export interface Report {
  readonly environment: string;
  readonly region: string;
  /** Of the credentials. */
  readonly account: string;
  readonly mustFix: number;
  readonly findings: readonly Finding[];
}

export interface PreflightPorts {
  readonly ask: AskAws;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** `dist/functions`, with the bundles. */
  readonly bundles: string;
  /**
   * Reads Plangrep's key and tries it.
   * @default - the key is not read: a workflow's role may not
   */
  readonly tryKey?: () => Promise<KeyTrial>;
  /**
   * Finds the log group of a function that starts by itself.
   * @default - no log is read: a workflow's role may not
   */
  readonly findLog?: () => Promise<LogGroup>;
}

/**
 * Looks at everything that an environment needs of its account, and changes nothing.
 * @throws CannotDo (2) when AWS cannot be asked at all
 */
export async function runPreflight(environment: Environment, ports: PreflightPorts): Promise<Report> {
  const { ask, now, bundles, tryKey, findLog } = ports;
  const account = await whoAsks(environment, ask);
  const first = checkAccount({ environment, account });
  const report = (findings: readonly Finding[]): Report => ({
    environment: environment.name,
    region: environment.region,
    account,
    mustFix: findings.filter(({ state }) => state === 'fix').length,
    findings,
  });
  // What another account lacks is of no interest.
  if (environment.account !== undefined && environment.account !== account) return report([first]);

  const [stateful, service] = await Promise.all([
    lookAtStack({ environment, ask }, 'stateful'),
    lookAtStack({ environment, ask }, 'service'),
  ]);
  const deployed = { stateful: stateful.isDeployed, service: service.isDeployed };
  const checked: Checked = { environment, account, ask, deployed };
  const asked = await Promise.all([
    checkBootstrap(checked),
    checkConcurrency(checked),
    checkFirewall(checked),
    checkApis(checked),
    checkUsagePlans(checked),
    checkApiAccount(checked),
    checkServiceLinkedRole(checked),
    checkTrails(checked),
    checkLogPolicies(checked),
    checkDomain(checked, now),
    checkSubscriptions(checked, 'page'),
    checkSubscriptions(checked, 'ticket'),
    checkSecret(checked, tryKey),
    findLog !== undefined && deployed.service
      ? findLog().then((found) => checkUsedCaches(ask, found, now))
      : checkBuiltCaches(bundles),
  ]);
  return report([first, ...checkOwnFields(environment), stateful.finding, service.finding, ...asked.flat()]);
}

export function showReport({ environment, region, findings }: Report): readonly string[] {
  return [`${environment}, ${region}`, '', ...showFindings(findings)];
}

export function exitCodeOf({ mustFix }: Report): ExitCode {
  return mustFix === 0 ? 0 : 1;
}

/** For the workflow: an address that has not confirmed must stop no rollback. */
export function exitCodeBeforeDeployment({ findings }: Report): ExitCode {
  return findings.some(({ state, isOfOperation }) => state === 'fix' && isOfOperation !== true) ? 1 : 0;
}

/** @returns the account of the credentials, for which AWS asks no permission */
async function whoAsks({ region }: Environment, ask: AskAws): Promise<string> {
  const answer = await ask('sts', 'sts:GetCallerIdentity', { operation: 'GetCallerIdentity' });
  switch (answer.kind) {
    case 'answer':
      return inXml(answer.text, 'Account') ?? '';
    case 'silent':
      throw new CannotDo(2, `No answer from AWS (${region}): ${answer.why}. Nothing was checked.`);
    case 'denied':
      throw new CannotDo(2, `No valid AWS credentials (${region}): access denied. Nothing was checked.`);
    case 'error': {
      const why = `${answer.code}: ${answer.message.replace(/\.$/, '')}`;
      const hint = answer.code === 'InvalidClientTokenId' ? ' The region may also not be enabled in the account.' : '';
      throw new CannotDo(2, `No valid AWS credentials (${region}): ${why}.${hint} Nothing was checked.`);
    }
  }
}
