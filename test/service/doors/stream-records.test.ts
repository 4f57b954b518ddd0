import { describe, expect, test } from 'vitest';
import { judgeChange } from '../../../functions/core/archive/judge-change.ts';
import { archiveRecords } from '../../../functions/doors/stream/archive-records.ts';
import { readAttributes } from '../../../functions/doors/stream/read-attributes.ts';
import { readChange } from '../../../functions/doors/stream/read-change.ts';
import { toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { givenArchive } from '../../support/given-archive.ts';
import { at, requested, storedStream, streamName } from '../../support/stored-streams.ts';

const [begun] = storedStream([requested]);
if (begun === undefined) throw new Error('one event');
const stored = toItem({ pk: streamName, sk: begun.key, ...begun.fields });

/** As Lambda hands it over. */
function recordOf(number: number, images: { NewImage?: object; OldImage?: object }, more: object = {}) {
  return {
    eventID: `id-${number}`,
    eventName: 'INSERT',
    dynamodb: {
      ApproximateCreationDateTime: Date.parse(at) / 1_000 + 0.5,
      Keys: { pk: { S: streamName }, sk: { S: begun?.key } },
      SequenceNumber: `10000000000000000000${number}`,
      SizeBytes: 1,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
      ...images,
    },
    ...more,
  };
}
const eventOf = (...Records: object[]) => ({ Records });

describe('a record of the log’s stream', () => {
  test('is read as a change of an item', () => {
    const change = readChange(recordOf(1, { NewImage: stored }));

    expect(change).toMatchObject({ partition: streamName, key: begun.key, sequence: '100000000000000000001' });
    expect(change).toMatchObject({ atMs: Date.parse(at), before: undefined, isExpiry: false });
    expect(change.after).toEqual(begun.fields);
    expect(judgeChange(change)).toBe('written');
  });

  test.each([
    [{ type: 'Service', principalId: 'dynamodb.amazonaws.com' }, true],
    [{ type: 'Service', principalId: 'replication.dynamodb.amazonaws.com' }, false],
    [{ type: 'AssumedRole', principalId: 'dynamodb.amazonaws.com' }, false],
    [null, false],
  ])('of what %j removed is an expiry: %s', (userIdentity, isExpiry) => {
    expect(readChange(recordOf(1, { OldImage: stored }, { userIdentity })).isExpiry).toBe(isExpiry);
  });

  test.each([
    [{}],
    [{ ...recordOf(1, { NewImage: stored }), dynamodb: {} }],
    // Without the old images no change could be judged.
    [{ dynamodb: { ...recordOf(1, { NewImage: stored }).dynamodb, StreamViewType: 'NEW_IMAGE' } }],
  ])('is never left out, if it cannot be read', (record) => {
    expect(() => readChange(record)).toThrow('not a record of the stream');
  });
});

describe('an attribute', () => {
  test('that the service writes is read as it was written', () => {
    const fields = {
      text: 'ü',
      count: 0,
      part: -1.5,
      big: 2 ** 53 - 1,
      list: ['a', 1],
      map: { none: null, yes: true },
    };
    expect(readAttributes(toItem(fields))).toEqual(fields);
  });

  test.each([
    [{ N: '12345678901234567890.5' }, { N: '12345678901234567890.5' }],
    [{ M: { SS: { L: [{ S: 'a' }] } } }, { M: { SS: { L: [{ S: 'a' }] } } }],
    [{ M: { SS: { S: 'a' }, more: { S: 'b' } } }, { SS: 'a', more: 'b' }],
    [{ N: '1e300' }, 1e300],
    [{ B: 'dGV4dA==' }, { B: 'dGV4dA==' }],
    [{ SS: ['a'] }, { SS: ['a'] }],
    [{ L: 'no list' }, { L: 'no list' }],
    [{}, {}],
  ])('that it never writes stays recognizable: %j', (attribute, read) => {
    expect(readAttributes({ attribute })).toEqual({ attribute: read });
  });

  test.each([
    ['a number of many digits', { more: { S: '12345678901234567890' } }, { more: { N: '12345678901234567890' } }],
    ['a map', { more: { SS: ['a'] } }, { more: { M: { SS: { L: [{ S: 'a' }] } } } }],
    ['called as no object’s own', {}, JSON.parse('{"__proto__":{"M":{}}}')],
  ])('%s is not taken for what was there', (_, before, after) => {
    const images = { OldImage: { ...stored, ...before }, NewImage: { ...stored, ...after } };
    expect(judgeChange(readChange(recordOf(1, images)))).toBe('rewritten');
  });

  test('of another type than before is a rewritten record', () => {
    const change = readChange(
      recordOf(1, { OldImage: stored, NewImage: { ...stored, requestId: { B: stored['requestId']?.S } } }),
    );
    expect(judgeChange(change)).toBe('rewritten');
  });
});

describe('the archive’s door', () => {
  const event = eventOf(recordOf(1, { NewImage: stored }), recordOf(2, { NewImage: stored }));

  test('has done a batch when the archive has it', async () => {
    const { ports, names } = await givenArchive();
    expect(await archiveRecords(ports)(event)).toEqual({ batchItemFailures: [] });
    expect(await names('records/')).toHaveLength(1);
  });

  test('asks for the whole batch again while the archive does not answer', async () => {
    const { ports, s3, reports, names } = await givenArchive();
    s3.fail(1);

    expect(await archiveRecords(ports)(event)).toEqual({
      batchItemFailures: [{ itemIdentifier: '100000000000000000001' }],
    });
    const [failure] = reports;
    expect(failure).toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE', fields: { dependency: 'archive' } });
    expect(await archiveRecords(ports)(event)).toEqual({ batchItemFailures: [] });
    expect(await names('records/')).toHaveLength(1);
  });

  test('throws what no repeat cures, so that Lambda halves the batch', async () => {
    const { ports, names, overwrite, codes } = await givenArchive();
    await archiveRecords(ports)(event);
    const [name = ''] = await names('records/');
    await overwrite(name, 'another\n');

    await expect(archiveRecords(ports)(event)).rejects.toThrow('another object');
    expect(codes()).toEqual(['RECORDS_ARCHIVED', 'ARCHIVE_ALTERED', 'UNEXPECTED_ERROR']);
    await expect(archiveRecords(ports)(eventOf({}))).rejects.toThrow('not a record');
    for (const record of event.Records) {
      expect(await archiveRecords(ports)(eventOf(record))).toEqual({ batchItemFailures: [] });
    }
  });
});
