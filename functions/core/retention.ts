import { type Timestamp, toTimestamp } from './identifiers.ts';

/**
 * How many days a record stays in the tables: `infra/blueprint/environments.ts` has the values and their reasons. What a
 * partner is promised (bindings, the list of refusals) is the same everywhere, and not here.
 */
export interface Retention {
  /** Of a cancellation's events, from its first request on: all of a stream expire together. */
  readonly events: number;
  /** Of `joined` and `refused` records. */
  readonly requests: number;
  /** Of a job's entry in the directory, after the job has ended. */
  readonly jobs: number;
}

/** No environment keeps a record of the log for less, or for longer: a date outside is not one that this service wrote. */
export const LEAST_DAYS = 7;
export const MOST_DAYS = 3_653;

/** Whether DynamoDB may have deleted a record. @param deleteAfter as stored */
export function hasExpired(deleteAfter: unknown, nowMs: number): boolean {
  return typeof deleteAfter === 'number' && deleteAfter * 1_000 <= nowMs;
}

/** Whether a record's date is one that some environment's retention gives it. */
export function isPlausible(deleteAfter: number, at: Timestamp): boolean {
  const days = (deleteAfter - daysAfter(at, 0)) / 86_400;
  return Number.isInteger(days) && LEAST_DAYS <= days && days <= MOST_DAYS;
}

/** The end of the year 9999: no time on record is later, whatever Plangrep says. */
const LAST_MS = 253_402_300_799_000;

/**
 * When the directory's entry of a job expires.
 * @param ended when the job was over at the latest: the `expiresAt` that Plangrep shows, else when it was seen terminal
 */
export function entryExpiry({ jobs }: Pick<Retention, 'jobs'>, ended: Timestamp, nowMs: number): Timestamp {
  return toTimestamp(Math.min(Math.max(Date.parse(ended), nowMs) + jobs * 86_400_000, LAST_MS));
}

/** @returns seconds since 1970, as DynamoDB's time to live wants it */
export function daysAfter(at: Timestamp, days: number): number {
  return Math.ceil(Date.parse(at) / 1_000) + days * 86_400;
}
