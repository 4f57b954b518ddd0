import { describe, expect, test } from 'vitest';
import { newsOf } from '../../functions/core/announcements.ts';

const closed = {
  type: 'closed',
  partnerId: 'acme',
  jobId: 'job_1',
  outcome: 'cancelled',
  jobStatus: 'cancelled',
  pageCount: '204',
  successfulPageCount: '112',
  creditsDebited: '0.30000000000000004',
  at: '2026-11-26T03:04:05.123Z',
  begunBy: 'request',
  eventId: 'event',
};
const refused = {
  type: 'refused',
  partnerId: 'acme',
  requestId: 'request',
  why: 'job_not_found',
  jobId: 'job_1',
  at: '2026-11-26T03:04:05.123Z',
  door: 'events',
};
const announcementOf = (...args: Parameters<typeof newsOf>) => newsOf(...args)?.announcement;
const { jobStatus: _1, pageCount: _2, successfulPageCount: _3, creditsDebited: _4, begunBy: _5, ...least } = closed;
const { jobId: _6, ...unnamed } = refused;

describe('an announcement', () => {
  // As bytes: what listeners got when pipes made these events.
  test.each([
    [
      'a closing event',
      closed,
      '{"partnerId":"acme","jobId":"job_1","outcome":"cancelled","jobStatus":"cancelled","pageCount":"204","successfulPageCount":"112","creditsDebited":"0.30000000000000004","closedAt":"2026-11-26T03:04:05.123Z","requestId":"request","eventId":"event"}',
    ],
    [
      'one without what Plangrep did not say',
      { ...least, outcome: 'job_not_found' },
      '{"partnerId":"acme","jobId":"job_1","outcome":"job_not_found","jobStatus":"","pageCount":"","successfulPageCount":"","creditsDebited":"","closedAt":"2026-11-26T03:04:05.123Z","requestId":"","eventId":"event"}',
    ],
    [
      'a refused event',
      refused,
      '{"partnerId":"acme","requestId":"request","why":"job_not_found","jobId":"job_1","refusedAt":"2026-11-26T03:04:05.123Z","eventId":"record"}',
    ],
    [
      'one that named no job',
      unnamed,
      '{"partnerId":"acme","requestId":"request","why":"job_not_found","jobId":"","refusedAt":"2026-11-26T03:04:05.123Z","eventId":"record"}',
    ],
  ])('of %s has the fields that callers were promised, as text', (_, fields, detail) => {
    expect(JSON.stringify(announcementOf(fields, 'record')?.detail)).toBe(detail);
  });

  test('is named after what happened', () => {
    expect(announcementOf(closed, 'record')?.detailType).toBe('Job Cancellation Closed');
    expect(announcementOf(refused, 'record')?.detailType).toBe('Job Cancellation Refused');
  });

  test('has nothing that a partner wrote', () => {
    const texts = { externalId: 'order-1', reason: 'private', externalIdSalt: 'ff', keyId: 'key', hash: 'hash' };

    expect(announcementOf({ ...closed, ...texts }, 'record')).toEqual(announcementOf(closed, 'record'));
    expect(announcementOf({ ...refused, ...texts }, 'record')).toEqual(announcementOf(refused, 'record'));
  });

  test.each([
    ['of another type', { ...closed, type: 'requested' }],
    ['of an escalation without its job', { type: 'escalated', partnerId: 'acme' }],
    ['of a refusal at no door', { ...refused, door: 'window' }],
    ['of no type', { partnerId: 'acme' }],
    ['with a foreign outcome', { ...closed, outcome: 'lost' }],
    ['of a malformed partner', { ...closed, partnerId: 'Acme!' }],
    ['without its id', { ...closed, eventId: '' }],
    ['with a text that is too long', { ...closed, jobStatus: 'x'.repeat(129) }],
    ['of a refusal for a foreign reason', { ...refused, why: 'mood' }],
    ['of a refusal at no time', { ...refused, at: 'yesterday' }],
  ])('is not made of a record %s', (_, fields) => {
    expect(newsOf(fields, 'record')).toBeUndefined();
  });
});

describe('whom a record is told to', () => {
  test.each([
    [
      'its cancellation’s partner, and the bus, when it closes',
      closed,
      { kind: 'job', partnerId: 'acme', jobId: 'job_1' },
      true,
    ],
    [
      'its cancellation’s partner alone, when it escalates',
      { type: 'escalated', partnerId: 'acme', jobId: 'job_1' },
      { kind: 'job', partnerId: 'acme', jobId: 'job_1' },
      false,
    ],
    [
      'the partner and the bus, when an event is refused',
      refused,
      { kind: 'refusal', partnerId: 'acme', at: refused.at, requestId: 'request' },
      true,
    ],
    [
      'the partner alone, when a call over HTTPS is refused',
      { ...refused, door: 'https' },
      { kind: 'refusal', partnerId: 'acme', at: refused.at, requestId: 'request' },
      false,
    ],
  ])('is %s', (_, fields, subject, isAnnounced) => {
    const news = newsOf(fields, 'record');

    expect(news?.subject).toEqual(subject);
    expect(news?.announcement !== undefined).toBe(isAnnounced);
  });
});
