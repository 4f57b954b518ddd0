import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type EnvironmentName, environmentNames, environments } from '../blueprint/environments.ts';
import { CannotDo } from './cannot-do.ts';
import type { DeadLetterQueue, Place } from './place.ts';

interface Resource {
  readonly type: string;
  readonly logicalId: string;
  readonly physicalId: string;
}

/** Logical ids that CDK makes: the constructs' path, then eight characters of its hash. */
export const queuePaths: Readonly<Record<DeadLetterQueue, string>> = {
  events: 'EventsDoorDeadLetters',
  undelivered: 'EventsDoorUndelivered',
  closings: 'ClosedEventsUndelivered',
  runs: 'ScheduleMissed',
  alarms: 'WatchingAlarmsUnsent',
};

/** @throws CannotDo when there is no such environment */
export const readEnvironmentName = (value: string): EnvironmentName => {
  const name = environmentNames.find((known) => known === value);
  if (name !== undefined) return name;
  throw new CannotDo(2, `--environment must be one of ${environmentNames.join(', ')}, not ${JSON.stringify(value)}.`);
};

/**
 * A deployed environment, by the resources that CloudFormation has in its two stacks; credentials come from the SDK's
 * own chain. Takes `cloudformation:ListStackResources`.
 * @param region instead of the environment's own
 */
export const openDeployedPlace = (environment: EnvironmentName, region = environments[environment].region): Place => {
  const requestHandler = { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true };
  const common = { region, maxAttempts: 4, requestHandler };
  const cloudFormation = new CloudFormationClient(common);
  const clients = {
    dynamodb: new DynamoDBClient(common),
    secretsManager: new SecretsManagerClient(common),
    sqs: new SQSClient(common),
  };

  const list = async (stack: string): Promise<readonly Resource[]> => {
    const resources: Resource[] = [];
    try {
      for await (const page of paginateListStackResources({ client: cloudFormation }, { StackName: stack })) {
        for (const { ResourceType: type, LogicalResourceId, PhysicalResourceId } of page.StackResourceSummaries ?? []) {
          if (type === undefined || LogicalResourceId === undefined || PhysicalResourceId === undefined) continue;
          resources.push({ type, logicalId: LogicalResourceId, physicalId: PhysicalResourceId });
        }
      }
    } catch (cause) {
      // CloudFormation's word for "no such stack".
      if (!(cause instanceof Error) || !/does not exist/.test(cause.message)) throw cause;
      throw new CannotDo(2, `There is no stack ${stack} (${region}): is this the right account and region?`, { cause });
    }
    return resources;
  };
  const cached = new Map<string, Promise<readonly Resource[]>>();
  const resourcesOf = (part: 'stateful' | 'service'): Promise<readonly Resource[]> => {
    const stack = `plangrep-cancellation-${environment}-${part}`;
    const listed = cached.get(stack) ?? list(stack);
    cached.set(stack, listed);
    return listed;
  };
  const stateful = async (type: string, logicalId: string): Promise<string> => {
    const found = (await resourcesOf('stateful')).find((one) => one.type === type && one.logicalId === logicalId);
    if (found !== undefined) return found.physicalId;
    throw new CannotDo(2, `The stack plangrep-cancellation-${environment}-stateful (${region}) has no ${logicalId}.`);
  };

  return {
    environment,
    where: region,
    region,
    ...clients,
    table: (name) => stateful('AWS::DynamoDB::GlobalTable', name),
    secretId: () => stateful('AWS::SecretsManager::Secret', 'PlangrepKey'),
    async queueUrl(queue) {
      const logicalId = new RegExp(`^${queuePaths[queue]}[0-9A-F]{8}$`);
      const isIt = (one: Resource) => one.type === 'AWS::SQS::Queue' && logicalId.test(one.logicalId);
      return (await resourcesOf('service')).find(isIt)?.physicalId;
    },
    close: () => [cloudFormation, ...Object.values(clients)].forEach((client) => client.destroy()),
  };
};
