import { terminalStatuses } from '../../functions/simulator/plangrep-jobs.ts';
import type { FaultInput } from '../local/plangrep/plangrep-faults.ts';
import type { PlangrepSimulator } from '../local/plangrep/plangrep-simulator.ts';
import type { ServiceFault, ServiceFaults } from '../local/aws/service-faults.ts';

/** A kind of bad day, Plangrep's or this service's own. */
export interface Mood {
  readonly title: string;
  /** What whoever cancels gets meanwhile. */
  readonly what: string;
  /** How Plangrep's simulator misbehaves. */
  readonly plangrep?: FaultInput;
  /** How a part of this service does. */
  readonly service?: ServiceFault;
  /** Every job that runs completes, before any cancel. */
  readonly completesJobs?: boolean;
}

const json = (body: object) => ({ body: JSON.stringify(body) });

export const moods = {
  slow: {
    title: 'Plangrep is too slow',
    what: 'Plangrep cancels, but says so after 8 s; 5 are waited for. 202, and the next look finds the job cancelled.',
    plangrep: { on: 'any', kind: 'late', delayMs: 8_000 },
  },
  server_errors: {
    title: 'Plangrep answers 503',
    what: '202: the service sees it through once Plangrep is back.',
    plangrep: { on: 'any', kind: 'status', status: 503, ...json({ code: 'unavailable', message: 'Down.' }) },
  },
  rate_limited: {
    title: 'Plangrep answers 429',
    what: "202: tried again after Plangrep's Retry-After.",
    plangrep: {
      on: 'any',
      kind: 'status',
      status: 429,
      headers: { 'Retry-After': '5' },
      ...json({ code: 'rate_limited', message: 'Slow down.' }),
    },
  },
  key_revoked: {
    title: "Plangrep's key is revoked",
    what: "202: never a 401, since it is not the caller's key. An alarm goes off in AWS.",
    plangrep: {
      on: 'any',
      kind: 'status',
      status: 401,
      ...json({ code: 'unauthorized', message: 'The API key is missing, invalid, revoked or expired.' }),
    },
  },
  jobs_finish_first: {
    title: 'The job finishes first',
    what: '409 job_already_terminal: every running job has just completed. Add a fresh one afterwards.',
    completesJobs: true,
  },
  throttled: {
    title: 'Too many requests',
    what: '429 too_many_requests: the gateway lets one request through every 10 s.',
    service: { kind: 'throttled', ratePerSecond: 0.1, burst: 1 },
  },
  tables_down: {
    title: 'DynamoDB is down',
    what: '503 temporarily_unavailable: nothing can be put on record, so nothing is promised.',
    service: { kind: 'tables_down' },
  },
  functions_crash: {
    title: 'The function crashes',
    what: '500 internal_error.',
    service: { kind: 'functions_crash' },
  },
  functions_late: {
    title: 'The function answers too late',
    what: '504 gateway_timeout: the gateway gives up after 1 s, the function begins after 3 and does its work all the same.',
    service: { kind: 'functions_late', delayMs: 3_000, gatewayWaitsMs: 1_000 },
  },
} as const satisfies Record<string, Mood>;

export type MoodId = keyof typeof moods;
export const isMoodId = (id: string): id is MoodId => Object.hasOwn(moods, id);

export interface MoodParts {
  /** Absent with another upstream, whose moods are its own. */
  readonly simulator?: PlangrepSimulator | undefined;
  readonly faults: ServiceFaults;
}

/** Whether this run can have the mood. */
export const canHave = (id: MoodId, { simulator }: MoodParts): boolean => {
  const { service }: Mood = moods[id];
  return service !== undefined || simulator !== undefined;
};

/** One mood at a time; nothing is back to normal, faults that were set by hand included. */
export const setMood = (id: MoodId | undefined, { simulator, faults }: MoodParts): void => {
  faults.clear();
  simulator?.faults.clear();
  if (id === undefined) return;
  const { plangrep, service, completesJobs }: Mood = moods[id];
  if (plangrep !== undefined) simulator?.faults.add(plangrep);
  if (service !== undefined) faults.set(service);
  if (completesJobs !== true) return;
  for (const job of simulator?.jobs() ?? []) {
    const isRunning = !terminalStatuses.some((status) => status === job.status);
    if (isRunning) simulator?.addJob({ id: job.id, status: 'completed' });
  }
};
