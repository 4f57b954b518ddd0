import {
  type ContributorInsightsMode,
  DescribeContinuousBackupsCommand,
  DescribeContributorInsightsCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  GetResourcePolicyCommand,
  ListTagsOfResourceCommand,
  PutResourcePolicyCommand,
  type TableDescription,
  TagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateContributorInsightsCommand,
  UpdateTableCommand,
  type UpdateTableCommandInput,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import type { TablePolicy } from '../../blueprint/access/table-policies.ts';
import type { TableSettings } from '../../blueprint/access/table-settings.ts';

/** One thing that a restored table does not have by itself. */
export interface Aspect {
  readonly what: string;
  /** In words, to show and to compare with what is found. */
  readonly wanted: string;
  /** @param table as it is described now */
  readonly find: (table: TableDescription) => Promise<string> | string;
  readonly apply: () => Promise<unknown>;
}

/**
 * Everything that the definition says of a table beside its keys and its index, as DynamoDB's calls read and set it. What has
 * no setting in the definition is left as it is.
 * @param table its name and ARN
 */
export function aspectsOf(
  client: DynamoDBClient,
  table: { readonly name: string; readonly arn: string },
  settings: TableSettings,
): readonly Aspect[] {
  const { name: TableName, arn: ResourceArn } = table;
  const update = (input: Omit<UpdateTableCommandInput, 'TableName'>) =>
    client.send(new UpdateTableCommand({ TableName, ...input }));
  return [
    {
      what: 'encryption',
      wanted: "a key of the account's",
      find: ({ SSEDescription }) =>
        SSEDescription?.SSEType === 'KMS' ? "a key of the account's" : "DynamoDB's own key",
      apply: () => update({ SSESpecification: { Enabled: true, SSEType: 'KMS' } }),
    },
    {
      what: 'deletion protection',
      wanted: onOff(settings.deletionProtection),
      find: ({ DeletionProtectionEnabled = false }) => onOff(DeletionProtectionEnabled),
      apply: () => update({ DeletionProtectionEnabled: settings.deletionProtection }),
    },
    ...streamOf(settings, update),
    pointInTimeRecoveryOf(client, TableName, settings),
    ...timeToLiveOf(client, TableName, settings),
    ...insightsOf(client, TableName, settings),
    tagsAspect(client, ResourceArn, settings),
    // Last: until then a step that was forgotten could still be repaired by hand.
    policyAspect(client, ResourceArn, settings),
  ];
}

function onOff(isOn: boolean): string {
  return isOn ? 'on' : 'off';
}

function streamOf(
  { stream }: TableSettings,
  update: (input: Omit<UpdateTableCommandInput, 'TableName'>) => Promise<unknown>,
): readonly Aspect[] {
  if (stream === undefined) return [];
  const viewOf = ({ StreamSpecification }: TableDescription): string =>
    (StreamSpecification?.StreamEnabled === true ? StreamSpecification.StreamViewType : undefined) ?? 'off';
  return [
    {
      // DynamoDB changes no stream's view: such a stream ends, and a new one begins.
      what: 'another stream',
      wanted: 'off',
      find: (table) => (viewOf(table) === stream ? 'off' : viewOf(table)),
      apply: () => update({ StreamSpecification: { StreamEnabled: false } }),
    },
    {
      what: 'stream',
      wanted: stream,
      find: viewOf,
      apply: () => update({ StreamSpecification: { StreamEnabled: true, StreamViewType: stream } }),
    },
  ];
}

function pointInTimeRecoveryOf(
  client: DynamoDBClient,
  TableName: string,
  { pointInTimeRecoveryDays: days }: TableSettings,
): Aspect {
  return {
    what: 'point-in-time recovery',
    wanted: days === undefined ? 'off' : `${days} days`,
    async find() {
      const { ContinuousBackupsDescription } = await client.send(new DescribeContinuousBackupsCommand({ TableName }));
      const recovery = ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
      return recovery?.PointInTimeRecoveryStatus === 'ENABLED' ? `${recovery.RecoveryPeriodInDays ?? 35} days` : 'off';
    },
    apply: () =>
      client.send(
        new UpdateContinuousBackupsCommand({
          TableName,
          PointInTimeRecoverySpecification: {
            PointInTimeRecoveryEnabled: days !== undefined,
            ...(days !== undefined && { RecoveryPeriodInDays: days }),
          },
        }),
      ),
  };
}

/** DynamoDB takes up to an hour to switch it, and shows it as ENABLING until then. */
function timeToLiveOf(client: DynamoDBClient, TableName: string, { timeToLive }: TableSettings): readonly Aspect[] {
  if (timeToLive === undefined) return [];
  return [
    {
      what: 'time to live',
      wanted: timeToLive,
      async find() {
        const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
        const { TimeToLiveStatus: status = '', AttributeName } = TimeToLiveDescription ?? {};
        return status.startsWith('ENABL') ? (AttributeName ?? '?') : 'off';
      },
      apply: () =>
        client.send(
          new UpdateTimeToLiveCommand({
            TableName,
            TimeToLiveSpecification: { AttributeName: timeToLive, Enabled: true },
          }),
        ),
    },
  ];
}

/** Of the table and of each index, which DynamoDB switches one by one. */
function insightsOf(client: DynamoDBClient, TableName: string, settings: TableSettings): readonly Aspect[] {
  const mode: ContributorInsightsMode | undefined = settings.contributorInsights;
  if (mode === undefined) return [];
  return [undefined, ...settings.indexNames].map((IndexName) => {
    const of = { TableName, ...(IndexName !== undefined && { IndexName }) };
    return {
      what: `Contributor Insights${IndexName === undefined ? '' : ` of ${IndexName}`}`,
      wanted: mode,
      find: async () => {
        const found = await client.send(new DescribeContributorInsightsCommand(of));
        const isOn = found.ContributorInsightsStatus?.startsWith('ENABL') === true;
        return isOn ? (found.ContributorInsightsMode ?? 'ACCESSED_AND_THROTTLED_KEYS') : 'off';
      },
      apply: () =>
        client.send(
          new UpdateContributorInsightsCommand({
            ...of,
            ContributorInsightsAction: 'ENABLE',
            ContributorInsightsMode: mode,
          }),
        ),
    };
  });
}

/** Other tags stay: CloudFormation's, or an operator's. */
function tagsAspect(client: DynamoDBClient, ResourceArn: string, { tags }: TableSettings): Aspect {
  return {
    what: 'tags',
    wanted: inWords(tags),
    async find() {
      const { Tags = [] } = await client.send(new ListTagsOfResourceCommand({ ResourceArn }));
      const ours = Tags.filter(({ Key = '' }) => Object.hasOwn(tags, Key));
      return inWords(Object.fromEntries(ours.map(({ Key = '', Value = '' }) => [Key, Value])));
    },
    apply: () =>
      client.send(
        new TagResourceCommand({ ResourceArn, Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }),
      ),
  };
}

function inWords(tags: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  return pairs.toSorted().join(', ') || 'none';
}

/**
 * DynamoDB wants a confirmation, since the policy takes the right to change it from who puts it.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutResourcePolicy.html
 */
function policyAspect(client: DynamoDBClient, ResourceArn: string, { policy }: TableSettings): Aspect {
  return {
    what: 'policy',
    wanted: 'as defined',
    async find() {
      const found = await readPolicy(client, ResourceArn);
      if (found === undefined) return 'none';
      return isSamePolicy(found, policy) ? 'as defined' : 'another one';
    },
    apply: () => client.send(toPutPolicy(ResourceArn, policy)),
  };
}

export function toPutPolicy(ResourceArn: string, policy: TablePolicy): PutResourcePolicyCommand {
  const Policy = JSON.stringify(policy);
  return new PutResourcePolicyCommand({ ResourceArn, Policy, ConfirmRemoveSelfResourceAccess: true });
}

/** @returns undefined when the table has none */
async function readPolicy(client: DynamoDBClient, ResourceArn: string): Promise<string | undefined> {
  try {
    return (await client.send(new GetResourcePolicyCommand({ ResourceArn }))).Policy;
  } catch (error) {
    if (error instanceof Error && error.name === 'PolicyNotFoundException') return undefined;
    throw error;
  }
}

/** Whether both say the same. A list of one, and the order of fields and of a list, have no meaning in a policy. */
export function isSamePolicy(json: string, policy: object): boolean {
  return JSON.stringify(normalize(JSON.parse(json))) === JSON.stringify(normalize(JSON.parse(JSON.stringify(policy))));
}

function normalize(value: unknown): unknown {
  if (Array.isArray(value)) {
    const parts = value.map(normalize).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    return parts.length === 1 ? parts[0] : parts;
  }
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => [name, normalize(field)]);
  return Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
