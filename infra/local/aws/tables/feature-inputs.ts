import * as z from 'zod/mini';
import { streamViewSchema } from '../streams/stream-records.ts';

/** What the operations on a table's features take, in the protocol's own words. */
export const tableInput = z.object({ TableName: z.string() });
export const resourceInput = z.object({ ResourceArn: z.string() });
export const timeToLiveInput = z.object({
  TableName: z.string(),
  TimeToLiveSpecification: z.object({ AttributeName: z.string(), Enabled: z.boolean() }),
});
export const backupsInput = z.object({
  TableName: z.string(),
  PointInTimeRecoverySpecification: z.object({
    PointInTimeRecoveryEnabled: z.boolean(),
    RecoveryPeriodInDays: z.optional(z.number()),
  }),
});
export const policyInput = z.object({ ResourceArn: z.string(), Policy: z.string() });
export const insightsInput = z.object({
  TableName: z.string(),
  IndexName: z.optional(z.string()),
  ContributorInsightsAction: z.optional(z.enum(['ENABLE', 'DISABLE'])),
  ContributorInsightsMode: z.optional(z.string()),
});
export const updateInput = z.strictObject({
  TableName: z.string(),
  DeletionProtectionEnabled: z.optional(z.boolean()),
  StreamSpecification: z.optional(
    z.object({ StreamEnabled: z.boolean(), StreamViewType: z.optional(streamViewSchema) }),
  ),
  SSESpecification: z.optional(z.object({ Enabled: z.boolean(), SSEType: z.optional(z.string()) })),
});
export const restoreInput = z.object({
  SourceTableName: z.string(),
  TargetTableName: z.string(),
  /** Seconds since 1970. */
  RestoreDateTime: z.optional(z.number()),
  UseLatestRestorableTime: z.optional(z.boolean()),
});
const item = z.record(z.string(), z.custom<{ S: string }>());
export const writeInput = z.object({ TableName: z.string(), Item: z.optional(item), Key: z.optional(item) });
export const batchInput = z.object({
  RequestItems: z.record(
    z.string(),
    z.array(
      z.object({
        PutRequest: z.optional(z.object({ Item: item })),
        DeleteRequest: z.optional(z.object({ Key: item })),
      }),
    ),
  ),
});
export const listStreamsInput = z.object({ TableName: z.optional(z.string()) });
export const streamInput = z.object({ StreamArn: z.string() });
export const shardIteratorInput = z.object({
  StreamArn: z.string(),
  ShardId: z.string(),
  ShardIteratorType: z.enum(['TRIM_HORIZON', 'LATEST', 'AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER']),
  SequenceNumber: z.optional(z.string().check(z.regex(/^\d{21,40}$/))),
});
export const recordsInput = z.object({
  ShardIterator: z.string(),
  Limit: z.optional(z.int().check(z.gte(1), z.lte(1000))),
});
