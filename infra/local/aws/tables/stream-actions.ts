import type { TableDescription } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { parseInput, ServiceError } from '../aws-json-endpoint.ts';
import { positionOf, sequenceNumberOf } from '../streams/stream-records.ts';
import type { TableStreams } from '../streams/table-streams.ts';
import * as inputs from './feature-inputs.ts';
import type { Features, KeptFeatures } from './kept-features.ts';

/** Every stream has this one shard, which never ends. */
const SHARD_ID = 'shardId-00000000000000000000-00000000';
const MOST_RECORDS = 1_000;

/** A stream's ARN, and the position that was read last. */
const iteratorSchema = z.tuple([z.string(), z.number()]);

interface NamedStream {
  readonly table: string;
  readonly stream: NonNullable<Features['stream']>;
}

/**
 * The API of DynamoDB Streams, on the same endpoint as the tables.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html
 */
export function streamActions({
  kept,
  streams,
  describe,
}: {
  readonly kept: KeptFeatures;
  readonly streams: TableStreams;
  readonly describe: (table: string) => Promise<TableDescription>;
}): Readonly<Record<string, (input: unknown) => Promise<object>>> {
  const arnOf = async ({ table, stream }: NamedStream): Promise<string> =>
    `${(await describe(table)).TableArn}/stream/${stream.label}`;
  const find = (arn: string): NamedStream => {
    const [, table = '', label] = /:table\/([^/]+)\/stream\/(.+)$/.exec(arn) ?? [];
    const { stream } = kept.of(table);
    if (stream !== undefined && stream.label === label) return { table, stream };
    throw new ServiceError('ResourceNotFoundException', `Requested resource not found: Stream: ${arn} not found`);
  };
  const iterator = (arn: string, position: number): string =>
    Buffer.from(JSON.stringify([arn, position])).toString('base64url');

  return {
    async ListStreams(input) {
      const { TableName } = parseInput(inputs.listStreamsInput, input, 'ValidationException');
      const found = kept.tables().flatMap((table) => {
        const { stream } = kept.of(table);
        return stream === undefined || table !== (TableName ?? table) ? [] : [{ table, stream }];
      });
      const listed = found.map(async (one) => ({
        StreamArn: await arnOf(one),
        TableName: one.table,
        StreamLabel: one.stream.label,
      }));
      return { Streams: await Promise.all(listed) };
    },
    async DescribeStream(input) {
      const { StreamArn } = parseInput(inputs.streamInput, input, 'ValidationException');
      const { table, stream } = find(StreamArn);
      const { KeySchema } = await describe(table);
      return {
        StreamDescription: {
          StreamArn,
          StreamLabel: stream.label,
          StreamStatus: 'ENABLED',
          StreamViewType: stream.view,
          CreationRequestDateTime: Date.parse(`${stream.label}Z`) / 1_000,
          TableName: table,
          KeySchema,
          Shards: [{ ShardId: SHARD_ID, SequenceNumberRange: { StartingSequenceNumber: sequenceNumberOf(1) } }],
        },
      };
    },
    async GetShardIterator(input) {
      const given = parseInput(inputs.shardIteratorInput, input, 'ValidationException');
      const { table } = find(given.StreamArn);
      if (given.ShardId !== SHARD_ID) {
        throw new ServiceError('ResourceNotFoundException', `Requested resource not found: Shard ${given.ShardId}`);
      }
      const named = positionOf(given.SequenceNumber ?? sequenceNumberOf(0));
      const after = {
        TRIM_HORIZON: () => 0,
        LATEST: () => streams.latest(table),
        AT_SEQUENCE_NUMBER: () => named - 1,
        AFTER_SEQUENCE_NUMBER: () => named,
      };
      return { ShardIterator: iterator(given.StreamArn, await after[given.ShardIteratorType]()) };
    },
    async GetRecords(input) {
      const { ShardIterator, Limit = MOST_RECORDS } = parseInput(inputs.recordsInput, input, 'ValidationException');
      const [arn, after] = readIterator(ShardIterator);
      const Records = await streams.read(find(arn).table, after, Limit);
      const last = Records.at(-1);
      return {
        Records,
        NextShardIterator: iterator(arn, last === undefined ? after : positionOf(last.dynamodb.SequenceNumber)),
      };
    },
  };
}

function readIterator(text: string): z.infer<typeof iteratorSchema> {
  try {
    return iteratorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    throw new ServiceError('ValidationException', 'Invalid ShardIterator');
  }
}
