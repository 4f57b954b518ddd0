import { SCHEDULE_EVERY_MS } from '../../functions/core/cancellation/pace.ts';
import type { Retention } from '../../functions/core/retention.ts';

/**
 * The functions, defined once for the stack, the local run and the build: what each is given, how long it may take, and
 * what starts those that no route starts.
 */
export interface FunctionDefinition<Variable = EnvironmentVariable> {
  /** Every environment variable besides the AWS SDK's own. */
  readonly environment: readonly Variable[];
  /** Of a function that works on cancellations shorter than a lease (45 s), so that it does not outlive its claim. */
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  /**
   * Whether a message that it sends may start it again: Lambda then does not stop such a chain after 16 invocations.
   * https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
   * @default false
   */
  readonly mayStartItself?: boolean;
}

export type EnvironmentVariable =
  | 'ENVIRONMENT'
  | 'PLANGREP_BASE_URL'
  | 'PLANGREP_SECRET_ID'
  | 'JOB_DIRECTORY_TABLE'
  | 'CANCELLATION_LOG_TABLE'
  | 'PARTNERS_TABLE'
  | 'WAKE_UP_QUEUE_URL'
  | 'CALLBACK_QUEUE_URL'
  | 'CALLBACK_SECRET_ID'
  | 'RETENTION_DAYS'
  | 'EVENTS_MAX_RECEIVES'
  | 'EVENTS_DEAD_LETTERS_URL'
  | 'EVENTBRIDGE_URL'
  | 'EVENT_BUS_NAME'
  | 'ARCHIVE_BUCKET'
  | 'SEAL_KEY'
  | 'SEAL_MARGIN_SECONDS';
/** The variables of a sandbox's functions. */
export type SandboxVariable = 'PLANGREP_SECRET_ID' | 'SANDBOX_TABLE';

/** Needed to ask Plangrep; to find a job and to know whose it is; to work on a cancellation. */
const plangrep = ['PLANGREP_BASE_URL', 'PLANGREP_SECRET_ID'] as const;
const finding = ['JOB_DIRECTORY_TABLE', 'PARTNERS_TABLE'] as const;
const attempt = [...plangrep, 'CANCELLATION_LOG_TABLE', 'WAKE_UP_QUEUE_URL', 'RETENTION_DAYS'] as const;
const allPorts = [...attempt, ...finding] as const;

/** The service's functions, in every environment and on this machine. */
export const serviceFunctions = {
  'authorize-partner': { environment: ['ENVIRONMENT', 'PARTNERS_TABLE'], timeoutSeconds: 5, memoryMb: 512 },
  'request-cancellation': { environment: allPorts, timeoutSeconds: 15, memoryMb: 512 },
  'read-cancellations': {
    environment: ['JOB_DIRECTORY_TABLE', 'CANCELLATION_LOG_TABLE'],
    timeoutSeconds: 15,
    memoryMb: 512,
  },
  'register-job': { environment: [...plangrep, ...finding, 'RETENTION_DAYS'], timeoutSeconds: 15, memoryMb: 512 },
  'consume-events': {
    environment: [...allPorts, 'EVENTS_MAX_RECEIVES', 'EVENTS_DEAD_LETTERS_URL'],
    timeoutSeconds: 30,
    memoryMb: 512,
  },
  'consume-wake-ups': { environment: attempt, timeoutSeconds: 15, memoryMb: 512, mayStartItself: true },
  'reconcile-cancellations': { environment: attempt, timeoutSeconds: 40, memoryMb: 512 },
  // One PutEvents takes 2 s at most, and so do the messages beside it.
  'announce-cancellations': {
    environment: ['EVENTBRIDGE_URL', 'EVENT_BUS_NAME', 'CALLBACK_QUEUE_URL'],
    timeoutSeconds: 10,
    memoryMb: 256,
  },
  // Longer than two calls to an endpoint, one after the other. It sends itself the next attempt.
  'deliver-callbacks': {
    environment: [
      'ENVIRONMENT',
      'CANCELLATION_LOG_TABLE',
      'PARTNERS_TABLE',
      'CALLBACK_QUEUE_URL',
      'CALLBACK_SECRET_ID',
    ],
    // Two calls of 10 s at most, and the pause between them.
    timeoutSeconds: 40,
    memoryMb: 512,
    mayStartItself: true,
  },
  // Longer than three tries of S3's client; shorter than the margin that a digest leaves.
  'archive-records': { environment: ['ARCHIVE_BUCKET'], timeoutSeconds: 30, memoryMb: 512 },
  // Holds no claim. It reads every object of its stretch, after a pause of up to a day at once.
  'seal-archive': {
    environment: ['ENVIRONMENT', 'ARCHIVE_BUCKET', 'SEAL_KEY', 'SEAL_MARGIN_SECONDS'],
    timeoutSeconds: 900,
    memoryMb: 1024,
  },
  'read-documentation': { environment: [], timeoutSeconds: 5, memoryMb: 512 },
  // Does almost nothing, so that a flood of requests for unknown addresses costs almost nothing.
  'answer-unknown-route': { environment: [], timeoutSeconds: 3, memoryMb: 128 },
} as const satisfies Record<string, FunctionDefinition>;

/** Only in an environment that is a sandbox: `simulate-plangrep` takes Plangrep's place there. */
export const sandboxFunctions = {
  'simulate-plangrep': { environment: ['PLANGREP_SECRET_ID', 'SANDBOX_TABLE'], timeoutSeconds: 10, memoryMb: 512 },
} as const satisfies Record<string, FunctionDefinition<SandboxVariable>>;

/** Every function that is built. */
export const functions = { ...serviceFunctions, ...sandboxFunctions } as const;

export type FunctionName = keyof typeof serviceFunctions;
export type SandboxFunctionName = keyof typeof sandboxFunctions;

export const functionNames = namesOf(serviceFunctions);
export const sandboxFunctionNames = namesOf(sandboxFunctions);

/** The value of `RETENTION_DAYS`. */
export function retentionVariable({ events, requests, jobs }: Retention): string {
  return `events=${events}&requests=${requests}&jobs=${jobs}`;
}

/** An EventBridge schedule starts the reconciler. */
export const reconcilerSchedule = {
  function: 'reconcile-cancellations',
  everyMinutes: SCHEDULE_EVERY_MS / 60_000,
} as const;

/** Another starts the sealer. A digest covers what was put so many seconds before, which is longer than a put can take. */
export const sealSchedule = { function: 'seal-archive', everyMinutes: 60, marginSeconds: 60 } as const;

function namesOf<Name extends string>(definitions: Readonly<Record<Name, unknown>>): readonly Name[] {
  return Object.keys(definitions).filter((name): name is Name => name in definitions);
}
