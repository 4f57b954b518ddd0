import type { KeyTrial } from '../try-plangrep-key.ts';
import { type Checked, type Finding, later, notChecked } from './finding.ts';

interface Description {
  readonly DeletedDate?: number;
  readonly VersionIdsToStages?: Readonly<Record<string, readonly string[]>>;
}

/** Whether the secret has a value, and whether Plangrep takes it. The description alone shows no value. */
export async function checkSecret(
  { environment, ask, deployed }: Checked,
  tryKey: (() => Promise<KeyTrial>) | undefined,
): Promise<readonly Finding[]> {
  const [check, plangrep] = ['secret', "Plangrep's key"];
  const { name, region, sandbox } = environment;
  const id = `plangrep-cancellation/${name}/api-key`;
  const command = (what: string) => `aws secretsmanager ${what} --secret-id ${id} --region ${region}`;
  const put = `npm run ops -- plangrep-key put --environment ${name}`;
  const answer = await ask('secretsmanager', 'secretsmanager:DescribeSecret', {
    operation: 'DescribeSecret',
    input: { SecretId: id },
  });
  if (answer.kind === 'error' && answer.code === 'ResourceNotFoundException') {
    return [later(check, put), later(plangrep)];
  }
  if (answer.kind !== 'answer') return [notChecked(check, answer), notChecked(plangrep, answer)];
  const { DeletedDate, VersionIdsToStages = {} }: Description = JSON.parse(answer.text);
  if (DeletedDate !== undefined) {
    const found = 'is to be deleted, and its name is taken until then';
    return [{ check, state: 'fix', found, fix: command('restore-secret') }, later(plangrep)];
  }
  if (!deployed.stateful) {
    const found = 'was left by a stack that is deleted: the new stack cannot make it again';
    const fix = `keep its value elsewhere, then ${command('delete-secret')} --force-delete-without-recovery`;
    return [{ check, state: 'fix', found, fix }, later(plangrep)];
  }
  if (!Object.values(VersionIdsToStages).some((stages) => stages.includes('AWSCURRENT'))) {
    return [{ check, state: 'fix', isOfOperation: true, found: 'has no value yet', fix: put }, later(plangrep)];
  }
  const isThere: Finding = { check, state: 'ok', found: 'has a value' };
  if (sandbox === true) {
    return [isThere, { check: plangrep, state: 'ok', found: "not needed: a simulator is in Plangrep's place" }];
  }
  if (tryKey === undefined) {
    const found = 'only an operator may read the key: npm run ops -- preflight';
    return [isThere, { check: plangrep, state: 'not checked', found }];
  }
  return [isThere, judgeTrial(plangrep, await tryKey(), put)];
}

function judgeTrial(check: string, trial: KeyTrial, put: string): Finding {
  switch (trial.kind) {
    case 'accepted':
      return { check, state: 'ok', found: 'Plangrep accepts it' };
    case 'malformed':
      return { check, state: 'fix', isOfOperation: true, found: `must be ${trial.rule}`, fix: put };
    case 'unknown':
      return { check, state: 'not checked', found: trial.why };
    case 'refused':
      return {
        check,
        state: 'fix',
        isOfOperation: true,
        found: 'Plangrep answers 401: not a key, revoked or expired',
        fix: put,
      };
  }
}
