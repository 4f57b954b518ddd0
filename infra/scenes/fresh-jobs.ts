import { randomBytes } from 'node:crypto';
import { createJobDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import {
  externalIdSchema,
  jobIdSchema,
  partnerIdSchema,
  projectIdSchema,
  toTimestamp,
} from '../../functions/core/identifiers.ts';
import type { SimulatedJobFields } from '../../functions/simulator/plangrep-jobs.ts';
import type { LocalDynamoDb } from '../local/aws/dynamodb.ts';
import type { PlangrepSimulator } from '../local/plangrep/plangrep-simulator.ts';
import { seededPartners } from '../local/seeds.ts';

interface FreshJobKind {
  readonly title: string;
  /** Of each job that is added: in Plangrep's simulator; nothing: in the directory alone. */
  readonly jobs: readonly (SimulatedJobFields | undefined)[];
}

const running: SimulatedJobFields = {
  status: 'processing',
  pageCount: 120,
  successfulPageCount: 40,
  billing: { creditsDebited: 40, creditsReserved: 80 },
};

export const freshJobKinds = {
  running: { title: 'runs, cancelled at once', jobs: [running] },
  slow_to_cancel: {
    title: 'runs on for 20 s after its cancel, 2 pages a second',
    jobs: [{ ...running, cancelTakes: 20_000, pagesPerSecond: 2 }],
  },
  finishing: { title: 'completes in 4 s', jobs: [{ ...running, pagesPerSecond: 20 }] },
  completed: { title: 'completed already', jobs: [{ status: 'completed', pageCount: 12 }] },
  twins: { title: 'two that run, under one externalId', jobs: [running, running] },
  unknown_to_plangrep: { title: 'registered here, unknown to Plangrep', jobs: [undefined] },
} as const satisfies Record<string, FreshJobKind>;

export type FreshJobKindId = keyof typeof freshJobKinds;

export interface FreshJob {
  readonly externalId: string;
  /** The newest one's. */
  readonly jobId: string;
}

/** Adds a job of that kind to Plangrep's simulator and the partner's directory, under an externalId of its own. */
export const addFreshJob = async (
  partnerId: string,
  kind: FreshJobKindId,
  { dynamodb, simulator }: { readonly dynamodb: LocalDynamoDb; readonly simulator: PlangrepSimulator },
): Promise<FreshJob> => {
  const directory = createJobDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);
  const projectId = seededPartners.find((partner) => partner.partnerId === partnerId)?.projectId ?? '';
  const externalId = `order-${randomBytes(4).toString('hex')}`;
  const { jobs }: FreshJobKind = freshJobKinds[kind];
  let jobId = '';
  for (const [position, fields] of jobs.entries()) {
    jobId = `job_${randomBytes(13).toString('hex')}`;
    if (fields !== undefined) simulator.addJob({ ...fields, id: jobId, externalId, projectId });
    await directory.register(partnerIdSchema.parse(partnerId), externalIdSchema.parse(externalId), {
      jobId: jobIdSchema.parse(jobId),
      projectId: projectIdSchema.parse(projectId),
      registeredAt: toTimestamp(Date.now() + position),
    });
  }
  return { externalId, jobId };
};
