import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Environment } from '../../blueprint/environment-schema.ts';
import { type EnvironmentName, environmentNames, environments } from '../../blueprint/environments.ts';
import { CannotDo } from '../command.ts';
import { type Place, queues, type ServiceAccess } from './place.ts';

/** @throws CannotDo (2) when the environment does not exist */
export function readEnvironmentName(value: string): EnvironmentName {
  const name = environmentNames.find((known) => known === value);
  if (name !== undefined) return name;
  throw new CannotDo(2, `--environment must be one of ${environmentNames.join(', ')}, not ${JSON.stringify(value)}.`);
}

/** @throws CannotDo (2) unless it looks like a region */
export function readRegion(value: string): string {
  if (/^[a-z0-9-]{1,30}$/.test(value)) return value;
  throw new CannotDo(2, `--region must be a region like eu-central-1, not ${JSON.stringify(value)}.`);
}

/** @throws CannotDo (2) when neither an option, nor the environment, nor a profile names one */
export function regionOf({ config }: { readonly config: { region(): Promise<string> } }): Promise<string> {
  return config.region().catch((cause: unknown) => {
    throw new CannotDo(2, 'No region: pass --region, or set AWS_REGION.', { cause });
  });
}

/**
 * A deployed environment, by the resources that CloudFormation has in its two stacks. Credentials come from the SDK's
 * own chain; they need `cloudformation:ListStackResources`, and for a partner's share `apigateway:GET`, `POST` and `DELETE`
 * on `/apikeys` and `/usageplans`.
 * @param region instead of the environment's own
 * @param restored the tables that take the place of the stack's
 */
export function openDeployedPlace(
  environment: EnvironmentName,
  region = environments[environment].region,
  { restoredTables }: Pick<Environment, 'restoredTables'> = environments[environment],
): Place {
  const { sandbox, plangrepBaseUrl } = environments[environment];
  const requestHandler = { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true };
  const common = { region, maxAttempts: 4, requestHandler };
  const cloudFormation = new CloudFormationClient(common);
  const clients = {
    dynamodb: new DynamoDBClient(common),
    secretsManager: new SecretsManagerClient(common),
    sqs: new SQSClient(common),
  };
  const listed = new Map<string, Promise<readonly Resource[]>>();
  const resourcesOf = (stack: string): Promise<readonly Resource[]> => {
    const resources = listed.get(stack) ?? listResources(cloudFormation, stack, region);
    listed.set(stack, resources);
    return resources;
  };
  const stateful = async (type: string, logicalId: string): Promise<string> => {
    const stack = `plangrep-cancellation-${environment}-stateful`;
    const found = (await resourcesOf(stack)).find((one) => one.type === type && one.logicalId === logicalId);
    if (found !== undefined) return found.physicalId;
    throw new CannotDo(2, `The stack ${stack} (${region}) has no ${logicalId}.`);
  };
  const { credentials } = clients.dynamodb.config;
  // The SDK reads these variables for its own clients.
  const accessTo = (service: string, variable: string): ServiceAccess => ({
    endpoint: process.env[`AWS_ENDPOINT_URL_${variable}`] ?? `https://${service}.${region}.amazonaws.com`,
    region,
    credentials,
  });
  return {
    environment,
    where: region,
    region,
    ...clients,
    plangrepUrl: sandbox === true ? undefined : plangrepBaseUrl,
    apiGateway: accessTo('apigateway', 'API_GATEWAY'),
    s3: accessTo('s3', 'S3'),
    kms: accessTo('kms', 'KMS'),
    archiveBucket: async () =>
      environments[environment].archive.bucketName ?? stateful('AWS::S3::Bucket', 'ArchiveBucket'),
    lines: { kind: 'cloudwatch', access: accessTo('logs', 'CLOUDWATCH_LOGS') },
    table: async (name) => restoredTables?.[name]?.name ?? stateful('AWS::DynamoDB::GlobalTable', name),
    secretId: (secret) => stateful('AWS::SecretsManager::Secret', secret),
    async queueUrl(queue) {
      const logicalId = new RegExp(`^${queues[queue].path}[0-9A-F]{8}$`);
      const resources = await resourcesOf(`plangrep-cancellation-${environment}-service`);
      return resources.find((one) => one.type === 'AWS::SQS::Queue' && logicalId.test(one.logicalId))?.physicalId;
    },
    async logGroups() {
      const resources = await resourcesOf(`plangrep-cancellation-${environment}-service`);
      return resources.filter(({ type }) => type === 'AWS::Logs::LogGroup').map(({ physicalId }) => physicalId);
    },
    apiUrl: undefined,
    async apiHosts() {
      const { domain } = environments[environment];
      if (domain !== undefined) return [domain.name];
      const resources = await resourcesOf(`plangrep-cancellation-${environment}-service`);
      const apis = resources.filter(({ type }) => type === 'AWS::ApiGateway::RestApi');
      return apis.map(({ physicalId }) => `${physicalId}.execute-api.${region}.amazonaws.com`);
    },
    close: () => [cloudFormation, ...Object.values(clients)].forEach((client) => client.destroy()),
  };
}

interface Resource {
  readonly type: string;
  readonly logicalId: string;
  readonly physicalId: string;
}

async function listResources(
  client: CloudFormationClient,
  stack: string,
  region: string,
): Promise<readonly Resource[]> {
  const resources: Resource[] = [];
  try {
    for await (const page of paginateListStackResources({ client }, { StackName: stack })) {
      for (const { ResourceType: type, LogicalResourceId, PhysicalResourceId } of page.StackResourceSummaries ?? []) {
        if (type === undefined || LogicalResourceId === undefined || PhysicalResourceId === undefined) continue;
        resources.push({ type, logicalId: LogicalResourceId, physicalId: PhysicalResourceId });
      }
    }
  } catch (cause) {
    // CloudFormation's words for a stack that is not there.
    if (!(cause instanceof Error) || !/does not exist/.test(cause.message)) throw cause;
    throw new CannotDo(2, `There is no stack ${stack} (${region}): is this the right account and region?`, { cause });
  }
  return resources;
}
