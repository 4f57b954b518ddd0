import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { type Announcement, announcementOf, type EventBus } from '../../core/announcements.ts';
import { type Report, reportFailure, reportUnreadable } from '../../core/report.ts';
import { readRecord } from './read-record.ts';

export interface AnnouncePorts {
  readonly bus: EventBus;
  readonly report: Report;
}

/**
 * The log's stream → here → the bus, in order. When the bus does not take an event, Lambda repeats the batch from that
 * record on. A record that cannot be read is reported and left out: it would stop all that come after it, and no repeat
 * makes it better.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export function announceRecords({ bus, report }: AnnouncePorts) {
  return async ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const read = Records.flatMap((record) => {
      const announcement = readAnnouncement(record);
      if (announcement === undefined) reportUnreadable(report, 'cancellation-log', [nameOf(record)]);
      return announcement === undefined ? [] : [{ record, announcement }];
    });
    const put = await bus.put(read.map(({ announcement }) => announcement));
    const stopped = put.kind === 'stopped' ? read[put.at] : undefined;
    if (put.kind === 'taken' || stopped === undefined) return { batchItemFailures: [] };
    const { partnerId, jobId, requestId } = stopped.announcement.detail;
    reportFailure(report, put.error, { partnerId, jobId, requestId });
    return { batchItemFailures: [{ itemIdentifier: stopped.record.dynamodb?.SequenceNumber ?? '' }] };
  };
}

function readAnnouncement(record: DynamoDBRecord): Announcement | undefined {
  const item = readRecord(record);
  return item && announcementOf(item.fields, item.recordId);
}

/** The item's key, which has nothing that a partner wrote but its jobId. */
function nameOf({ dynamodb: { Keys = {}, SequenceNumber = '' } = {} }: DynamoDBRecord): string {
  const { pk, sk } = Keys;
  return pk?.S === undefined || sk?.S === undefined ? `sequence number ${SequenceNumber}` : `${pk.S} ${sk.S}`;
}
