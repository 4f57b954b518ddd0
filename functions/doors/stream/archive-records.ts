import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { archiveChanges, type ArchivingPorts } from '../../core/archive/archive-changes.ts';
import { DependencyUnavailable, reportFailure } from '../../core/report.ts';
import { readChange } from './read-change.ts';

/**
 * The log's stream → here → the archive. While the archive does not answer, Lambda repeats the whole batch: the same object
 * again. What a repeat cannot cure (a record that cannot be read, another object under this name) is thrown: Lambda then
 * halves the batch, and only the record itself waits.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export function archiveRecords(ports: ArchivingPorts) {
  return async ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    try {
      const { kind } = await archiveChanges(ports, Records.map(readChange));
      if (kind === 'conflict') throw new Error('the archive has another object under the name of this batch');
      return { batchItemFailures: [] };
    } catch (error) {
      reportFailure(ports.report, error, {});
      if (!(error instanceof DependencyUnavailable)) throw error;
      return { batchItemFailures: [{ itemIdentifier: Records[0]?.dynamodb?.SequenceNumber ?? '' }] };
    }
  };
}
