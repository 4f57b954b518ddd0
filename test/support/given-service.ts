import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { problemSchema } from '../../functions/contract/problem-answers.ts';
import { type ProblemCode, problems } from '../../functions/contract/problems.ts';
import { putEvent } from '../../infra/local/aws/events/event-bridge.ts';
import type { InvocationResult } from '../../infra/local/aws/lambda/container.ts';
import type { LocalRunOptions } from '../../infra/local/run.ts';
import { writeUnknownJob } from '../../infra/local/past-cancellations.ts';
import { plangrepSecretId } from '../../infra/local/seeds.ts';
import type { PlangrepSimulator } from '../../infra/local/plangrep/plangrep-simulator.ts';
import {
  type Answered,
  canaries,
  makeDue,
  type PartnerId,
  reconcileNow,
  startTestRun,
  type StoredItem,
  type TestRun,
} from './local-run.ts';
import { acme, externalId as externalIdOf, jobId as jobIdOf } from './names.ts';

type JobFields = Parameters<TestRun['addJob']>[2];
type Fault = Parameters<PlangrepSimulator['faults']['add']>[0];
export interface JobNames {
  readonly externalId: string;
  readonly jobId: string;
}

/** The whole service, as the tests of a file share it: what a test is given, what it does, and what it looks at. */
export interface Service {
  readonly run: TestRun;
  /** Names that no job of this run has. */
  newNames(): JobNames;
  /** A job of acme's: at Plangrep, and registered. */
  newJob(fields?: JobFields): Promise<JobNames>;
  /** Ends a cancellation of this job as `job_not_found`, as it does when Plangrep has not known the job for minutes. */
  unknownForMinutes(names: JobNames): Promise<void>;
  /** What Plangrep answers until the end of the test. */
  plangrepFails(fault: Fault): void;
  /** `POST /v1/cancellations`: of a job by its names, or of any body. */
  cancel(body: unknown, options?: CallOptions): Promise<Answered>;
  /** `GET /v1/cancellations/{jobId}` */
  show(jobId: string, partner?: PartnerId): Promise<Answered>;
  /** `GET /v1/cancellations?externalId=` */
  list(externalId: string, partner?: PartnerId): Promise<Answered>;
  /** `PUT /v1/jobs/{jobId}` */
  register(jobId: string, body: unknown, partner?: PartnerId): Promise<Answered>;
  /** Puts an event on the bus, from acme unless `fields` names another source. Its partner signs it, or the operator. */
  publish(
    detailType: string,
    detail: unknown,
    fields?: { readonly Source?: string; readonly Time?: number },
  ): Promise<void>;
  /** Waits until the queue of events is empty. */
  eventsSettled(): Promise<void>;
  /** The stored records of a job's cancellation. */
  recordsOf(jobId: string): Promise<readonly StoredItem[]>;
  /** The stored records that have a wake-up. */
  wakeUps(): Promise<readonly StoredItem[]>;
  /** Makes every wake-up due: the schedule is not history, so this rewrites none. */
  makeDue(): Promise<void>;
  /** Makes every wake-up due, then runs the reconciler once. It ends at once when it finds nothing more to do. */
  reconcile(): Promise<InvocationResult>;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly partner?: PartnerId;
}

/**
 * Starts the service before the tests of this file (or `describe`) and closes it after them, which fails if a secret or
 * an undescribed answer came out. Between two tests Plangrep's faults end and its key is the first one again.
 */
export function givenService(options: Omit<LocalRunOptions, 'onAnswer'> = {}): Service {
  let started: TestRun | undefined;
  beforeAll(async () => {
    started = await startTestRun(options);
  });
  afterEach(() => {
    const { simulator, secretsManager } = theRun();
    simulator.faults.clear();
    simulator.setApiKey(canaries.apiKey);
    secretsManager.put(plangrepSecretId, canaries.apiKey);
  });
  afterAll(() => started?.close());
  function theRun(): TestRun {
    if (started === undefined) throw new Error('The service runs only during the tests');
    return started;
  }
  return serviceOf(theRun);
}

function serviceOf(theRun: () => TestRun): Service {
  let jobs = 0;
  const service: Service = {
    get run() {
      return theRun();
    },
    newNames: () => ({ externalId: `order ${++jobs} ü✏️`, jobId: `job_given_${jobs}` }),
    async newJob(fields) {
      const names = service.newNames();
      await theRun().addJob(names.externalId, names.jobId, fields);
      return names;
    },
    unknownForMinutes: ({ externalId, jobId }) =>
      writeUnknownJob(theRun().dynamodb, {
        partnerId: acme,
        externalId: externalIdOf(externalId),
        jobId: jobIdOf(jobId),
      }),
    plangrepFails: (fault) => theRun().simulator.faults.add(fault),
    cancel: (body, { headers, partner = 'acme' } = {}) =>
      theRun().call(partner, 'POST /v1/cancellations', body, headers),
    show: (jobId, partner = 'acme') => theRun().call(partner, `GET /v1/cancellations/${jobId}`),
    list: (externalId, partner = 'acme') =>
      theRun().call(partner, `GET /v1/cancellations?externalId=${encodeURIComponent(externalId)}`),
    register: (jobId, body, partner = 'acme') => theRun().call(partner, `PUT /v1/jobs/${jobId}`, body),
    async publish(detailType, detail, fields = {}) {
      const entry = { Source: 'partner.acme', DetailType: detailType, Detail: JSON.stringify(detail), ...fields };
      const { endpoints, partners, aws } = theRun();
      const sender = partners.find(({ eventSource }) => eventSource === entry.Source);
      await putEvent(endpoints.eventbridge, sender?.aws ?? aws, entry);
    },
    eventsSettled: () =>
      vi.waitFor(() => expect(theRun().queue.waiting()).toEqual([]), { timeout: 15_000, interval: 20 }),
    recordsOf: async (jobId) => (await theRun().items('CancellationLog')).filter((record) => record['jobId'] === jobId),
    wakeUps: async () => (await theRun().items('CancellationLog')).filter((record) => record['wakeAt'] !== undefined),
    makeDue: () => makeDue(theRun()),
    reconcile: () => reconcileNow(theRun()),
  };
  return service;
}

/** Checks that an answer is this problem, in every field that the problem fixes. */
export function expectProblem({ status, headers, body }: Answered, code: ProblemCode): void {
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(problemSchema.parse(body)).toMatchObject({ code, status, retryable: problems[code].retryable });
  expect(status).toBe(problems[code].status);
}
