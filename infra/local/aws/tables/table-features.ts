import type { TableDescription } from '@aws-sdk/client-dynamodb';
import type * as z from 'zod/mini';
import { parseInput, ServiceError } from '../aws-json-endpoint.ts';
import type { FrontParts, TablesFront } from '../table-calls.ts';
import * as inputs from './feature-inputs.ts';
import { denies, keepFeatures, type KeptFeatures } from './kept-features.ts';
import { PointInTime } from './point-in-time.ts';
import { createRestore } from './restore-table.ts';
import { describeBackups, describeTable, shown } from './shown-table.ts';
import { streamActions } from './stream-actions.ts';

/**
 * Time to live, point-in-time recovery, a table's own policy, streams, deletion protection, encryption and Contributor
 * Insights: kept and shown as DynamoDB shows them. Of these, restoring, streams, a policy's denials and deletion
 * protection have their effects; nothing expires.
 */
export function createTableFeatures({ engine, statePath, streams }: FrontParts): TablesFront {
  const kept = keepFeatures(statePath);
  const history = new PointInTime(engine, Date.now);

  const describe = (table: string): Promise<TableDescription> => describeTable(engine, table);
  const restore = createRestore({ engine, kept, history });
  const isThere = (table: string): Promise<boolean> =>
    describe(table).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ServiceError) return false;
        throw error;
      },
    );
  const keysOf = async (table: string): Promise<readonly string[]> => {
    const { KeySchema = [] } = await describe(table);
    return KeySchema.flatMap(({ AttributeName }) => AttributeName ?? []);
  };
  const begin = async (table: string): Promise<void> => history.begin(table, await keysOf(table));
  const followStream = async (table: string): Promise<void> => {
    const { stream } = kept.of(table);
    if (stream === undefined) streams.end(table);
    else await streams.begin(table, { view: stream.view, keys: await keysOf(table) });
  };
  const named = async (input: unknown): Promise<string> => {
    const { TableName } = parseInput(inputs.tableInput, input, 'ValidationException');
    await describe(TableName);
    return TableName;
  };
  const resource = async (input: unknown): Promise<string> => {
    const table = parseInput(inputs.resourceInput, input, 'ValidationException').ResourceArn.split('/').at(-1) ?? '';
    await describe(table);
    return table;
  };

  const actions: Readonly<Record<string, (input: unknown) => Promise<object | undefined>>> = {
    async DescribeTable(input) {
      const table = await named(input);
      return { Table: shown(await describe(table), kept, restore.isRestoring(table)) };
    },
    async UpdateTable(input) {
      if (!inputs.updateInput.safeParse(input).success) return undefined;
      const { TableName, ...update } = parseInput(inputs.updateInput, input);
      await describe(TableName);
      if (update.StreamSpecification?.StreamEnabled === true && kept.of(TableName).stream !== undefined) {
        throw new ServiceError('ValidationException', `Table already has an enabled stream: TableName: ${TableName}`);
      }
      changeTable(kept, TableName, update);
      await followStream(TableName);
      return { TableDescription: shown(await describe(TableName), kept, false) };
    },
    async DeleteTable(input) {
      const table = await named(input);
      if (kept.of(table).isProtected === true) {
        throw new ServiceError(
          'ValidationException',
          `Table ${table} cannot be deleted: deletion protection is enabled`,
        );
      }
      kept.forget(table);
      history.end(table);
      streams.end(table);
      return undefined;
    },
    async DescribeTimeToLive(input) {
      const { timeToLive } = kept.of(await named(input));
      const status = timeToLive === undefined ? 'DISABLED' : 'ENABLED';
      return { TimeToLiveDescription: { TimeToLiveStatus: status, AttributeName: timeToLive } };
    },
    async UpdateTimeToLive(input) {
      const table = await named(input);
      const { TimeToLiveSpecification } = parseInput(inputs.timeToLiveInput, input, 'ValidationException');
      const { AttributeName, Enabled } = TimeToLiveSpecification;
      if ((kept.of(table).timeToLive !== undefined) === Enabled) {
        const is = Enabled ? 'enabled' : 'disabled';
        throw new ServiceError('ValidationException', `TimeToLive is already ${is}`);
      }
      kept.change(table, { timeToLive: Enabled ? AttributeName : undefined });
      return { TimeToLiveSpecification };
    },
    async DescribeContinuousBackups(input) {
      const table = await named(input);
      return { ContinuousBackupsDescription: describeBackups(kept, history.since(table), table) };
    },
    async UpdateContinuousBackups(input) {
      const table = await named(input);
      const { PointInTimeRecoverySpecification } = parseInput(inputs.backupsInput, input, 'ValidationException');
      const { PointInTimeRecoveryEnabled: isOn, RecoveryPeriodInDays = 35 } = PointInTimeRecoverySpecification;
      if (isOn) await begin(table);
      else history.end(table);
      kept.change(table, { pointInTimeRecoveryDays: isOn ? RecoveryPeriodInDays : undefined });
      return { ContinuousBackupsDescription: describeBackups(kept, history.since(table), table) };
    },
    async GetResourcePolicy(input) {
      const { policy } = kept.of(await resource(input));
      if (policy !== undefined) return { Policy: policy, RevisionId: '1' };
      throw new ServiceError('PolicyNotFoundException', 'Resource-based policy not found for the provided ResourceArn');
    },
    async PutResourcePolicy(input) {
      kept.change(await resource(input), {
        policy: parseInput(inputs.policyInput, input, 'ValidationException').Policy,
      });
      return { RevisionId: '1' };
    },
    async DeleteResourcePolicy(input) {
      kept.change(await resource(input), { policy: undefined });
      return {};
    },
    async DescribeContributorInsights(input) {
      const table = await named(input);
      const { IndexName = '' } = parseInput(inputs.insightsInput, input, 'ValidationException');
      const mode = kept.of(table).contributorInsights?.[IndexName];
      return { ContributorInsightsStatus: mode === undefined ? 'DISABLED' : 'ENABLED', ContributorInsightsMode: mode };
    },
    async UpdateContributorInsights(input) {
      const table = await named(input);
      const given = parseInput(inputs.insightsInput, input, 'ValidationException');
      const { IndexName = '', ContributorInsightsMode = 'ACCESSED_AND_THROTTLED_KEYS' } = given;
      const { [IndexName]: _, ...others } = kept.of(table).contributorInsights ?? {};
      const isOn = given.ContributorInsightsAction === 'ENABLE';
      kept.change(table, { contributorInsights: isOn ? { ...others, [IndexName]: ContributorInsightsMode } : others });
      return { ContributorInsightsStatus: isOn ? 'ENABLING' : 'DISABLING', ContributorInsightsMode };
    },
    RestoreTableToPointInTime: (input) => restore.begin(input),
    ...streamActions({ kept, streams, describe }),
  };

  return {
    answer: async (operation, input) => (Object.hasOwn(actions, operation) ? actions[operation]?.(input) : undefined),
    answered(operation, input) {
      if (operation === 'BatchWriteItem') {
        const { RequestItems } = inputs.batchInput.parse(input);
        for (const [table, requests] of Object.entries(RequestItems)) {
          for (const { PutRequest, DeleteRequest } of requests) {
            history.wrote(table, PutRequest?.Item ?? DeleteRequest?.Key ?? {});
          }
        }
      } else if (['PutItem', 'UpdateItem', 'DeleteItem'].includes(operation)) {
        const { TableName, Item, Key } = inputs.writeInput.parse(input);
        history.wrote(TableName, Item ?? Key ?? {});
      }
    },
    admit(operation, input) {
      const one = inputs.tableInput.safeParse(input).data?.TableName;
      const several = inputs.batchInput.safeParse(input).data?.RequestItems ?? {};
      const denied = [one ?? [], Object.keys(several)].flat().find((table) => denies(kept.of(table), operation));
      if (denied === undefined) return;
      const why = 'with an explicit deny in a resource-based policy';
      throw new ServiceError(
        'AccessDeniedException',
        `Not authorized to perform dynamodb:${operation} on ${denied} ${why}`,
      );
    },
    async resume() {
      for (const table of kept.tables()) {
        if (!(await isThere(table))) {
          kept.forget(table); // The store was moved away.
          continue;
        }
        await followStream(table);
        if (kept.of(table).pointInTimeRecoveryDays !== undefined) await begin(table);
      }
    },
  };
}

function changeTable(
  kept: KeptFeatures,
  table: string,
  {
    DeletionProtectionEnabled: isProtected,
    StreamSpecification: stream,
    SSESpecification: encryption,
  }: Omit<z.infer<typeof inputs.updateInput>, 'TableName'>,
): void {
  const label = new Date().toISOString().replace('Z', '');
  kept.change(table, {
    ...(isProtected !== undefined && { isProtected }),
    ...(stream !== undefined && {
      stream: stream.StreamEnabled ? { view: stream.StreamViewType ?? 'NEW_IMAGE', label } : undefined,
    }),
    ...(encryption !== undefined && { isEncryptedByKms: encryption.Enabled }),
  });
}
