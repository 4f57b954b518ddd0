import { serviceFunctions } from '../../blueprint/functions.ts';
import {
  deployedConcurrency,
  leastUnreserved,
  neededConcurrency,
  setApart,
} from '../../blueprint/account/concurrency.ts';
import type { AwsAnswer } from './ask-aws.ts';
import { type Checked, environmentsFile, type Finding, increaseQuota, nameOf, notChecked } from './finding.ts';

/** What Lambda holds for most accounts: a sensible next step. */
const usualConcurrency = 1_000;
const check = 'Lambda concurrency';

interface Settings {
  readonly AccountLimit: { readonly ConcurrentExecutions: number; readonly UnreservedConcurrentExecutions: number };
}

/**
 * What the account holds, against what is deployed and what the environment asks for.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
 */
export async function checkConcurrency(checked: Checked): Promise<Finding> {
  const { environment, ask } = checked;
  const { name, concurrency, region } = environment;
  const answer = await ask('lambda', 'lambda:GetAccountSettings', { path: '/2016-08-19/account-settings' });
  if (answer.kind !== 'answer') return notChecked(check, answer);
  const { AccountLimit }: Settings = JSON.parse(answer.text);
  const { ConcurrentExecutions: holds, UnreservedConcurrentExecutions: unreserved } = AccountLimit;
  const own = await reservedAlready(checked);
  if (typeof own !== 'number') return notChecked(check, own);

  const byOthers = holds - unreserved - own;
  const others = byOthers > 0 ? `, of which others reserve ${byOthers}` : '';
  const deployed = deployedConcurrency(concurrency);
  const apart = setApart(deployed.reserved, concurrency.provisioned ?? {});
  /** For this environment. */
  const free = holds - byOthers;
  const needed = neededConcurrency(concurrency);
  const raise = increaseQuota('lambda', 'L-B99A9384', Math.max(usualConcurrency, needed + byOthers), region);
  if (apart > 0 && apart + leastUnreserved > free) {
    return {
      check,
      state: 'fix',
      found: `the account holds ${holds}${others}; ${name} sets ${apart} apart, and Lambda keeps ${leastUnreserved}: the stack would be rolled back`,
      fix: `${raise}; until then concurrency.account: ${free} for ${name} in ${environmentsFile}`,
    };
  }
  if (deployed.isReduced && (concurrency.account ?? 0) > free) {
    return {
      check,
      state: 'fix',
      found: `concurrency.account says ${concurrency.account}, and the account holds ${holds}${others}`,
      fix: `concurrency.account: ${free} for ${name} in ${environmentsFile}`,
    };
  }
  if (!deployed.isReduced) {
    return { check, state: 'ok', found: `the account holds ${holds}${others}; ${apart} are set apart` };
  }
  const wanted = Object.entries(concurrency.reserved ?? {}).map(([fn, count]) => `${fn} ${count}`);
  const without = `nothing is reserved (${wanted.join(', ')}), and events, wake-ups and callbacks take at most ${deployed.events}, ${deployed.wakeUps} and ${deployed.callbacks} at once`;
  const enter = `concurrency.account for ${name} in ${environmentsFile}`;
  return needed <= free
    ? {
        check,
        state: 'advice',
        found: `the account holds ${holds}${others}; while ${environmentsFile} does not say so, ${without}`,
        fix: `enter ${free} as ${enter}`,
      }
    : {
        check,
        state: 'advice',
        found: `the account holds ${holds}${others}, and ${name} needs ${needed}: ${without}`,
        fix: `${raise}; then enter what AWS grants as ${enter}`,
      };
}

/** @returns what the environment's own functions have reserved until now, or why that is not known */
async function reservedAlready({
  environment,
  ask,
  deployed,
}: Checked): Promise<number | Exclude<AwsAnswer, { kind: 'answer' }>> {
  if (!deployed.service) return 0;
  let total = 0;
  for (const fn of Object.keys(serviceFunctions)) {
    const path = `/2019-09-30/functions/${nameOf(environment)}-${fn}/concurrency`;
    const answer = await ask('lambda', 'lambda:GetFunctionConcurrency', { path });
    // A function of a newer release.
    if (answer.kind === 'error' && answer.code === 'ResourceNotFoundException') continue;
    if (answer.kind !== 'answer') return answer;
    const { ReservedConcurrentExecutions = 0 }: { ReservedConcurrentExecutions?: number } = JSON.parse(answer.text);
    total += ReservedConcurrentExecutions;
  }
  return total;
}
