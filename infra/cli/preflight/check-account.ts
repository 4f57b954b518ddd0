import { type AskAws, inXml } from './ask-aws.ts';
import { type Checked, environmentsFile, type Finding, nameOf, notChecked } from './finding.ts';

/** The version that this app's stacks ask for. A test compares it with the assembly. */
export const bootstrapVersion = 6;

export function checkAccount({ environment, account }: Pick<Checked, 'environment' | 'account'>): Finding {
  const check = 'account';
  const { name, account: pinned } = environment;
  if (pinned === account) return { check, state: 'ok', found: account };
  if (pinned !== undefined) {
    return {
      check,
      state: 'fix',
      found: `the credentials are of ${account}, and ${name} is in ${pinned}: nothing else was checked`,
      fix: `use credentials of ${pinned}; "aws sts get-caller-identity" shows whose you have`,
    };
  }
  if (name === 'dev') return { check, state: 'ok', found: `${account}; not pinned, as dev may be` };
  const fix = `account: '${account}' for ${name} in ${environmentsFile}, if that is the one`;
  return { check, state: 'fix', found: `${account}; not pinned`, fix };
}

export async function checkBootstrap({ environment, ask }: Checked): Promise<Finding> {
  const check = 'CDK bootstrap';
  const fix = `npx cdk bootstrap -c environment=${environment.name}`;
  const answer = await ask('ssm', 'ssm:GetParameter', {
    operation: 'GetParameter',
    input: { Name: '/cdk-bootstrap/hnb659fds/version' },
  });
  if (answer.kind === 'error' && answer.code === 'ParameterNotFound') {
    return { check, state: 'fix', found: `not in ${environment.region}`, fix };
  }
  if (answer.kind !== 'answer') return notChecked(check, answer);
  const { Parameter }: { Parameter: { readonly Value: string } } = JSON.parse(answer.text);
  const found = `version ${Parameter.Value}`;
  if (Number(Parameter.Value) >= bootstrapVersion) return { check, state: 'ok', found };
  return { check, state: 'fix', found: `${found}: at least ${bootstrapVersion} is needed`, fix };
}

/** The state of one stack, and whether its resources are there. */
export interface StackLook {
  readonly finding: Finding;
  readonly isDeployed: boolean;
}

/** States in which CloudFormation takes no change until somebody deletes the stack. */
const broken = /^(ROLLBACK_COMPLETE|CREATE_FAILED|ROLLBACK_FAILED|DELETE_FAILED)$/;

export async function lookAtStack(
  { environment, ask }: Pick<Checked, 'environment'> & { readonly ask: AskAws },
  part: 'stateful' | 'service',
): Promise<StackLook> {
  const check = `${part} stack`;
  const stack = `${nameOf(environment)}-${part}`;
  const command = (what: string) => `aws cloudformation ${what} --stack-name ${stack} --region ${environment.region}`;
  const answer = await ask('cloudformation', 'cloudformation:DescribeStacks', {
    operation: 'DescribeStacks',
    input: { StackName: stack },
  });
  if (answer.kind === 'error' && /does not exist/.test(answer.message)) {
    return { finding: { check, state: 'later', found: 'not there yet' }, isDeployed: false };
  }
  if (answer.kind !== 'answer') return { finding: notChecked(check, answer), isDeployed: false };
  const found = inXml(answer.text, 'StackStatus') ?? 'no status';
  const isDeployed = /^(CREATE_COMPLETE|UPDATE_|IMPORT_)/.test(found);
  if (broken.test(found)) {
    return { finding: { check, state: 'fix', found, fix: command('delete-stack') }, isDeployed };
  }
  if (found === 'UPDATE_ROLLBACK_FAILED') {
    return { finding: { check, state: 'fix', found, fix: command('continue-update-rollback') }, isDeployed };
  }
  // One that was begun by a change set which was never executed counts as not created.
  if (found === 'REVIEW_IN_PROGRESS') return { finding: { check, state: 'later', found }, isDeployed };
  if (found.endsWith('_IN_PROGRESS')) {
    const fix = 'wait until the deployment that is under way has ended';
    return { finding: { check, state: 'fix', found, fix }, isDeployed };
  }
  return { finding: { check, state: 'ok', found }, isDeployed };
}

export async function checkServiceLinkedRole({ ask }: Checked): Promise<Finding> {
  const check = 'service-linked role';
  const RoleName = 'AWSServiceRoleForAPIGateway';
  const answer = await ask('iam', 'iam:GetRole', { operation: 'GetRole', input: { RoleName } });
  if (answer.kind === 'answer') return { check, state: 'ok', found: RoleName };
  if (answer.kind !== 'error' || answer.code !== 'NoSuchEntity') return notChecked(check, answer);
  return {
    check,
    state: 'later',
    found: `AWS makes ${RoleName} with the first API, if the CDK's execution role may iam:CreateServiceLinkedRole`,
    fix: 'aws iam create-service-linked-role --aws-service-name ops.apigateway.amazonaws.com',
  };
}
