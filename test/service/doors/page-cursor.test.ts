import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cursorSchema } from '../../../functions/contract/page-request.ts';
import { type PagedJobs, readCursor, writeCursor } from '../../../functions/doors/http/page-cursor.ts';
import { acme, externalId, globex, order7890 } from '../../support/names.ts';

const jobs: PagedJobs = { partnerId: acme, externalId: order7890 };
const jobIds = fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/);

describe('a cursor', () => {
  test('is read back as it was written, and its form is the contract’s', () => {
    fc.assert(
      fc.property(jobIds, (jobId) => {
        const cursor = writeCursor(jobs, jobId);
        expect(cursorSchema.safeParse(cursor).success).toBe(true);
        expect(readCursor(jobs, cursor)).toBe(jobId);
      }),
    );
  });

  test('is worth nothing to another partner, or with another externalId', () => {
    const cursor = writeCursor(jobs, 'job_1');

    expect(readCursor({ ...jobs, partnerId: globex }, cursor)).toBeUndefined();
    expect(readCursor({ ...jobs, externalId: externalId('order-7891') }, cursor)).toBeUndefined();
    expect(readCursor({ ...jobs, externalId: externalId('Order-7890') }, cursor)).toBeUndefined();
  });

  test('is rejected with any character changed, added or missing', () => {
    const character = fc.stringMatching(/^[A-Za-z0-9_+/=-]$/);
    fc.assert(
      fc.property(jobIds, fc.nat(), character, fc.constantFrom(0, 1), (jobId, place, other, replaced) => {
        const cursor = writeCursor(jobs, jobId);
        const at = place % (cursor.length + 1);
        const changed = cursor.slice(0, at) + other + cursor.slice(at + replaced);
        if (changed !== cursor) expect(readCursor(jobs, changed)).toBeUndefined();
      }),
    );
  });

  test.each(['', 'A', '=', writeCursor(jobs, ''), `${writeCursor(jobs, 'job_1')}=`, 'not a cursor', '\ufffd'])(
    'is not %j',
    (text) => {
      expect(readCursor(jobs, text)).toBeUndefined();
    },
  );

  test('contains nothing but the position and 16 bytes of a digest', () => {
    expect(Buffer.from(writeCursor(jobs, 'job_1'), 'base64url').subarray(16).toString()).toBe('job_1');
  });
});
