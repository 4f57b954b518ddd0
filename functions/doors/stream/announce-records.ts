import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { type EventBus, type News, newsOf } from '../../core/announcements.ts';
import { messageAbout, type Subject } from '../../core/callbacks/callback-message.ts';
import type { CallbackQueue } from '../../core/callbacks/ports.ts';
import { type Report, reportFailure, reportUnreadable } from '../../core/report.ts';
import { readRecord } from './read-record.ts';

export interface AnnouncePorts {
  readonly bus: EventBus;
  readonly callbacks: CallbackQueue;
  readonly report: Report;
}

/**
 * The log's stream → here → the callbacks queue and the bus, in order. When one of them does not take a record, Lambda repeats
 * the batch from that record on. A record that cannot be read is reported and left out: it would stop all that come after
 * it, and no repeat makes it better.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export function announceRecords({ bus, callbacks, report }: AnnouncePorts) {
  return async ({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
    const read = Records.flatMap((record) => {
      const item = readRecord(record);
      const news = item && newsOf(item.fields, item.recordId);
      if (news === undefined) reportUnreadable(report, 'cancellation-log', [nameOf(record)]);
      return news === undefined ? [] : [{ record, ...news }];
    });
    const [sent, put] = await Promise.all([
      Promise.allSettled(read.map(({ subject }) => callbacks.send(messageAbout(subject)))),
      putOn(bus, read),
    ]);
    const failed = read.flatMap(({ record, subject }, index) => {
      const result = sent[index];
      const error = result?.status === 'rejected' ? result.reason : put.at === index ? put.error : undefined;
      return error === undefined ? [] : [{ record, subject, error: error as unknown }];
    });
    const [first] = failed;
    if (first === undefined) return { batchItemFailures: [] };
    const { record, subject, error } = first;
    const { partnerId } = subject;
    reportFailure(report, error, { partnerId, ...idOf(subject) });
    return { batchItemFailures: [{ itemIdentifier: record.dynamodb?.SequenceNumber ?? '' }] };
  };
}

/** @returns `at`: the index of the record that the bus did not take */
async function putOn(bus: EventBus, read: readonly News[]) {
  const announced = read.flatMap(({ announcement }, index) => (announcement ? [{ announcement, index }] : []));
  const put = await bus.put(announced.map(({ announcement }) => announcement));
  return put.kind === 'taken' ? {} : { at: announced[put.at]?.index, error: put.error };
}

function idOf(subject: Subject) {
  return subject.kind === 'job' ? { jobId: subject.jobId } : { requestId: subject.requestId };
}

/** The item's key, which has nothing that a partner wrote but its jobId. */
function nameOf({ dynamodb: { Keys = {}, SequenceNumber = '' } = {} }: DynamoDBRecord): string {
  const { pk, sk } = Keys;
  return pk?.S === undefined || sk?.S === undefined ? `sequence number ${SequenceNumber}` : `${pk.S} ${sk.S}`;
}
