import { type Aws, AwsCliError } from './aws-cli.ts';
import type { AssemblyStack } from './read-assembly.ts';

export interface DeployPorts {
  /** The AWS CLI as the stack's deploy role. */
  readonly aws: Aws;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly log: (line: string) => void;
  /** Unique among the stack's change sets. */
  readonly changeSetName: string;
}

interface StackState {
  readonly StackStatus: string;
  readonly StackStatusReason?: string;
  readonly Outputs?: readonly { readonly OutputKey: string; readonly OutputValue: string }[];
}
interface ChangeSet {
  readonly Status: string;
  readonly StatusReason?: string;
}
interface StackEvents {
  readonly StackEvents: readonly {
    readonly LogicalResourceId: string;
    readonly ResourceStatus: string;
    readonly ResourceStatusReason?: string;
  }[];
}

/** How a deployment of one stack ended. */
export type Deployed =
  | { readonly kind: 'deployed'; readonly outputs: Readonly<Record<string, string>> }
  | { readonly kind: 'failed'; readonly why: readonly string[] };

const POLL_MS = 5_000;
/** CloudFormation's words for a change set that changes nothing. */
const NOTHING_TO_CHANGE = /didn't contain changes|No updates are to be performed/;

/**
 * Creates or updates a stack by a change set, as `cdk deploy` does, and waits until it is done. The template must have
 * been uploaded. Waits without a limit: the job that runs this has one.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
 * @throws AwsCliError when a call fails
 */
export async function deployStack(stack: AssemblyStack, ports: DeployPorts): Promise<Deployed> {
  const { aws, log } = ports;
  const before = describeStack(aws, stack.name);
  // A stack that was begun by a change set which was never executed counts as not created.
  const isNew = before === undefined || before.StackStatus === 'REVIEW_IN_PROGRESS';
  const changes = await createChangeSet(stack, isNew ? 'CREATE' : 'UPDATE', ports);
  switch (changes.kind) {
    case 'failed':
      return changes;
    case 'none':
      log(`${stack.name}: nothing to change`);
      break;
    case 'ready': {
      log(`${stack.name}: ${isNew ? 'creating' : 'updating'}`);
      aws(['cloudformation', 'execute-change-set', ...ofChangeSet(stack, ports)]);
      const failure = await waitForStack(stack.name, ports);
      if (failure !== undefined) return { kind: 'failed', why: [failure, ...failedResources(aws, stack.name)] };
    }
  }
  const protection = stack.terminationProtection
    ? '--enable-termination-protection'
    : '--no-enable-termination-protection';
  aws(['cloudformation', 'update-termination-protection', '--stack-name', stack.name, protection]);
  const outputs = describeStack(aws, stack.name)?.Outputs ?? [];
  return { kind: 'deployed', outputs: Object.fromEntries(outputs.map((one) => [one.OutputKey, one.OutputValue])) };
}

function describeStack(aws: Aws, name: string): StackState | undefined {
  try {
    const { Stacks }: { Stacks: readonly StackState[] } = JSON.parse(
      aws(['cloudformation', 'describe-stacks', '--stack-name', name]),
    );
    return Stacks[0];
  } catch (error) {
    if (error instanceof AwsCliError && error.message.includes('does not exist')) return undefined;
    throw error;
  }
}

function ofChangeSet({ name }: AssemblyStack, { changeSetName }: DeployPorts): readonly string[] {
  return ['--stack-name', name, '--change-set-name', changeSetName];
}

async function createChangeSet(
  stack: AssemblyStack,
  type: 'CREATE' | 'UPDATE',
  ports: DeployPorts,
): Promise<{ readonly kind: 'ready' | 'none' } | Extract<Deployed, { kind: 'failed' }>> {
  const { aws, sleep } = ports;
  const tags = Object.entries(stack.tags).map(([Key, Value]) => ({ Key, Value }));
  aws([
    'cloudformation',
    'create-change-set',
    ...ofChangeSet(stack, ports),
    '--change-set-type',
    type,
    '--template-url',
    stack.templateUrl,
    '--role-arn',
    stack.executionRole,
    '--capabilities',
    'CAPABILITY_IAM',
    'CAPABILITY_NAMED_IAM',
    'CAPABILITY_AUTO_EXPAND',
    '--tags',
    JSON.stringify(tags),
  ]);
  for (;;) {
    const { Status, StatusReason = '' }: ChangeSet = JSON.parse(
      aws(['cloudformation', 'describe-change-set', ...ofChangeSet(stack, ports)]),
    );
    if (Status === 'CREATE_COMPLETE') return { kind: 'ready' };
    if (Status === 'FAILED') {
      aws(['cloudformation', 'delete-change-set', ...ofChangeSet(stack, ports)]);
      if (NOTHING_TO_CHANGE.test(StatusReason)) return { kind: 'none' };
      return { kind: 'failed', why: [`${stack.name}: no change set: ${StatusReason}`] };
    }
    await sleep(POLL_MS);
  }
}

/** @returns what went wrong */
async function waitForStack(name: string, { aws, sleep }: DeployPorts): Promise<string | undefined> {
  for (;;) {
    // Until the change set is being executed, a new stack is still under review.
    const { StackStatus = 'DELETE_COMPLETE', StackStatusReason = '' } = describeStack(aws, name) ?? {};
    if (StackStatus === 'CREATE_COMPLETE' || StackStatus === 'UPDATE_COMPLETE') return undefined;
    if (!StackStatus.endsWith('_IN_PROGRESS')) return `${name}: ${StackStatus} ${StackStatusReason}`.trim();
    await sleep(POLL_MS);
  }
}

/** The newest first: what failed, and not what was only cancelled because of that. */
function failedResources(aws: Aws, name: string): readonly string[] {
  const { StackEvents }: StackEvents = JSON.parse(
    aws(['cloudformation', 'describe-stack-events', '--stack-name', name, '--max-items', '100']),
  );
  return StackEvents.filter(({ ResourceStatus }) => ResourceStatus.endsWith('_FAILED'))
    .filter(({ ResourceStatusReason = '' }) => !ResourceStatusReason.includes('cancelled'))
    .map((event) => `  ${event.LogicalResourceId}: ${event.ResourceStatus} ${event.ResourceStatusReason ?? ''}`);
}
