import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import type { Clock } from '../core/ports.ts';
import { type Report, reportLevels } from '../core/report.ts';

// The composition root: each of its files binds the ports of some functions to the real world, once per cold start. A bundle
// holds only what its own `compose…` function reaches.

export const text = z.string().check(z.minLength(1));
const whole = z.pipe(z.string().check(z.regex(/^[1-9]\d{0,3}$/)), z.transform(Number));

/** Every environment variable that a function may need. */
export const variables = z.object({
  ENVIRONMENT: z.string().check(z.regex(/^[a-z]{1,16}$/)),
  PLANGREP_BASE_URL: z.url(),
  PLANGREP_SECRET_ID: text,
  JOB_DIRECTORY_TABLE: text,
  CANCELLATION_LOG_TABLE: text,
  PARTNERS_TABLE: text,
  WAKE_UP_QUEUE_URL: z.url(),
  /** Only in a sandbox. */
  SANDBOX_TABLE: text,
  EVENTS_DEAD_LETTERS_URL: z.url(),
  /** How often the queue delivers a message before it moves it to the DLQ. */
  EVENTS_MAX_RECEIVES: whole,
  /** `events=400&requests=90&jobs=90` */
  RETENTION_DAYS: z.pipe(
    z.pipe(
      text,
      z.transform((days) => Object.fromEntries(new URLSearchParams(days))),
    ),
    z.object({ events: whole, requests: whole, jobs: whole }),
  ),
});

/** @throws when a variable is missing or malformed: the message names each of them, and shows no value */
export function readConfiguration<Schema extends z.ZodMiniType>(schema: Schema): z.infer<Schema> {
  const parsed = schema.safeParse(process.env);
  if (parsed.success) return parsed.data;
  const names = parsed.error.issues.map(({ path }) => path.join('.'));
  throw new Error(`missing or malformed in the environment: ${names.join(', ')}`);
}

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  newId: () => randomUUID(),
  newSalt: () => randomBytes(16).toString('hex'),
  sleep,
};

/**
 * One object a line: Lambda's JSON log format adds time, level and requestId (AWS Lambda Developer Guide, Log and
 * monitor Node.js functions), so no logging library is needed.
 */
export const report: Report = (code, fields = {}) => {
  const level = reportLevels[code];
  // A release is rolled back by what its own version reports: infra/blueprint/rollout/version-alarms.ts.
  const version = level === 'error' ? process.env['AWS_LAMBDA_FUNCTION_VERSION'] : undefined;
  console[level]({ code, ...fields, version });
};
