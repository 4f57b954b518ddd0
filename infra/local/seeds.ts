import { type SimulatedJobFields, exampleJob } from '../../functions/simulator/plangrep-jobs.ts';

export interface SeededJob {
  readonly fields: SimulatedJobFields & {
    readonly id: string;
    readonly externalId: string;
    readonly projectId: string;
  };
  /** What there is to see when it is cancelled. */
  readonly story: string;
}

export interface SeededPartner {
  readonly partnerId: string;
  /** The same in every run, so that a new run takes the old run's credential away. */
  readonly keyId: string;
  /** Of a key that may only read: as steady. */
  readonly readerKeyId: string;
  readonly projectId: string;
  readonly jobs: readonly SeededJob[];
}

const acmeProject = exampleJob.projectId;
const globexProject = 'proj_01hx9z4kqr8e7m3p5n6w2v1glx';
const hour = 3_600_000;

const running = { status: 'processing', pageCount: 120, successfulPageCount: 40, billing: { creditsDebited: 40 } };
const job = (fields: SeededJob['fields'], story: string): SeededJob => ({ fields, story });

/** Plangrep's documented cancel example: the one job that another upstream has too. */
export const exampleSeed = job({ ...exampleJob }, 'cancelled at once: 200');

const eventSeedId = 'job_evnt00000000000000000007894';

/** The two partners of every local run, and their jobs in the simulator. */
export const seededPartners: readonly SeededPartner[] = [
  {
    partnerId: 'acme',
    keyId: 'acmelocal001',
    readerKeyId: 'acmereader01',
    projectId: acmeProject,
    jobs: [
      exampleSeed,
      job(
        {
          ...running,
          id: 'job_slow00000000000000000007891',
          externalId: 'order-7891',
          projectId: acmeProject,
          cancelTakes: hour,
        },
        'still processing after the cancel: 202, and where to look',
      ),
      job(
        {
          id: 'job_done00000000000000000007892',
          externalId: 'order-7892',
          projectId: acmeProject,
          status: 'completed',
          pageCount: 12,
        },
        'completed before the cancel: 409',
      ),
      job(
        { ...running, id: 'job_twin10000000000000000007893', externalId: 'order-7893', projectId: acmeProject },
        'two live jobs: 409, repeat it with a "jobId"',
      ),
      job(
        { ...running, id: 'job_twin20000000000000000007893', externalId: 'order-7893', projectId: acmeProject },
        'two live jobs: 409, repeat it with a "jobId"',
      ),
      job(
        { ...running, id: eventSeedId, externalId: 'order-7894', projectId: acmeProject },
        'runs; the event above cancels it',
      ),
    ],
  },
  {
    partnerId: 'globex',
    keyId: 'globexlocal1',
    readerKeyId: 'globexreader',
    projectId: globexProject,
    jobs: [
      job(
        { ...running, id: 'job_glbx00000000000000000009001', externalId: 'order-9001', projectId: globexProject },
        'belongs to globex: 404',
      ),
    ],
  },
];
