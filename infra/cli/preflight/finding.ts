import type { Environment } from '../../blueprint/environment-schema.ts';
import { type Cell, table } from '../terminal.ts';
import type { AskAws, AwsAnswer } from './ask-aws.ts';

/** What a check found. `fix` is a command, or where to change what. */
export interface Finding {
  readonly check: string;
  /**
   * `fix`: a deployment fails, or the service does not work. `advice`: it works, less well than it could. `later`: not before
   * the first deployment. `not checked`: nothing is known, and `found` says why.
   */
  readonly state: 'ok' | 'fix' | 'advice' | 'later' | 'not checked';
  readonly found: string;
  readonly fix?: string;
  /** Of what must be fixed: a deployment goes well without it, and is no reason to stop a rollback. */
  readonly isOfOperation?: true;
}

export interface Checked {
  readonly environment: Environment;
  /** Of the credentials. */
  readonly account: string;
  readonly ask: AskAws;
  /** Which of the stacks are there. */
  readonly deployed: { readonly stateful: boolean; readonly service: boolean };
}

/** The file that an operator edits. */
export const environmentsFile = 'infra/blueprint/environments.ts';

/** Of everything that the environment names itself. */
export function nameOf({ name }: Pick<Environment, 'name'>): string {
  return `plangrep-cancellation-${name}`;
}

/** Why an answer cannot be judged. */
export function notChecked(check: string, answer: Exclude<AwsAnswer, { kind: 'answer' }>): Finding {
  switch (answer.kind) {
    case 'denied':
      return { check, state: 'not checked', found: `needs the permission ${answer.action}` };
    case 'silent':
      return { check, state: 'not checked', found: `no answer: ${answer.why}` };
    case 'error':
      return { check, state: 'not checked', found: `${answer.code}: ${answer.message}` };
  }
}

export function later(check: string, fix?: string): Finding {
  return { check, state: 'later', found: 'after the first deployment', ...(fix !== undefined && { fix }) };
}

export function increaseQuota(service: string, code: string, value: number, region: string): string {
  return `aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${value} --region ${region}`;
}

const styles = { ok: 'green', fix: 'red', advice: 'yellow', later: 'dim', 'not checked': 'yellow' } as const;

/** A table, then each command with the check that it is for. */
export function showFindings(findings: readonly Finding[]): readonly string[] {
  const rows = findings.map(({ check, state, found }): Cell[] => [check, { text: state, style: styles[state] }, found]);
  const fixes = findings.flatMap(({ check, state, fix }) =>
    fix === undefined ? [] : ['', `${check} (${state}):`, `  ${fix}`],
  );
  const count = findings.filter(({ state }) => state === 'fix').length;
  const end = count === 0 ? 'Nothing must be fixed.' : `${count} must be fixed.`;
  return [...table(['CHECK', 'STATE', 'FOUND'], rows), ...fixes, '', end];
}
