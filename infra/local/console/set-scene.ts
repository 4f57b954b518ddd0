import { randomBytes } from 'node:crypto';
import { createJobDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import type { ProblemCode } from '../../../functions/contract/problems.ts';
import {
  externalIdSchema,
  jobIdSchema,
  partnerIdSchema,
  projectIdSchema,
  toTimestamp,
} from '../../../functions/core/identifiers.ts';
import { terminalStatuses } from '../../../functions/simulator/plangrep-jobs.ts';
import { type Mood, type MoodId, moods, problemScenes } from '../../scenes/faults-and-problems.ts';
import { type FreshJobKind, type FreshJobKindId, freshJobKinds, projects } from '../../scenes/stories.ts';
import type { PlangrepSimulator } from '../plangrep/plangrep-simulator.ts';
import { writeUnknownJob } from '../past-cancellations.ts';
import type { RunParts } from '../run.ts';

/** @returns whether this run can have the mood: another upstream than the simulator cannot be made to misbehave */
export function canHave(id: MoodId, { simulator }: RunParts): boolean {
  const { service }: Mood = moods[id];
  return service !== undefined || simulator !== undefined;
}

/** Sets one mood in place of the one before, and clears faults that were set by hand. `normal` ends every mood. */
export function setMood(id: MoodId | 'normal', { simulator, faults }: RunParts): void {
  faults.current = undefined;
  simulator?.faults.clear();
  if (id === 'normal') return;
  const { plangrep, service, completesJobs }: Mood = moods[id];
  if (plangrep !== undefined) simulator?.faults.add(plangrep);
  faults.current = service;
  if (completesJobs !== true) return;
  for (const job of simulator?.jobs() ?? []) {
    const isRunning = !terminalStatuses.some((status) => status === job.status);
    if (isRunning) simulator?.addJob({ id: job.id, status: 'completed' });
  }
}

export interface SimulatedParts extends RunParts {
  readonly simulator: PlangrepSimulator;
}

export interface FreshJob {
  readonly externalId: string;
  /** The newest one's. */
  readonly jobId: string;
}

/** Adds a job of that kind to Plangrep's simulator and the partner's directory, under a new externalId. */
export async function addFreshJob(
  partnerId: keyof typeof projects,
  kind: FreshJobKindId,
  { dynamodb, simulator }: SimulatedParts,
): Promise<FreshJob> {
  const directory = createJobDirectory(dynamodb.client, dynamodb.tableNames.JobDirectory);
  const projectId = projects[partnerId];
  const externalId = `order-${randomBytes(4).toString('hex')}`;
  const { jobs }: FreshJobKind = freshJobKinds[kind];
  let jobId = '';
  for (const [position, fields] of jobs.entries()) {
    jobId = `job_${randomBytes(13).toString('hex')}`;
    const names = {
      partnerId: partnerIdSchema.parse(partnerId),
      externalId: externalIdSchema.parse(externalId),
      jobId: jobIdSchema.parse(jobId),
    };
    if (fields === 'unknown') await writeUnknownJob(dynamodb, names);
    else simulator.addJob({ ...fields, id: jobId, externalId, projectId });
    const registeredAt = toTimestamp(Date.now() + position);
    await directory.claim(names.partnerId, names.externalId, {
      jobId: names.jobId,
      projectId: projectIdSchema.parse(projectId),
      registeredAt,
      verifiedAt: registeredAt,
    });
  }
  return { externalId, jobId };
}

/** A request, ready to be sent. */
export interface SceneRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Prepares a run for a problem.
 * @returns the requests: sent one after the other, the last one meets the problem; then `setMood('normal', …)` ends the scene
 */
export async function prepareScene(code: ProblemCode, parts: SimulatedParts): Promise<readonly SceneRequest[]> {
  const { mood = 'normal', job, as = 'partner', requests } = problemScenes[code];
  const partner = parts.partners.find(({ partnerId }) => partnerId === 'acme');
  if (partner === undefined) throw new Error('a local run has partners');
  const names = job === undefined ? { externalId: '', jobId: '' } : await addFreshJob('acme', job, parts);
  const fill = (text: string): string =>
    text.replaceAll('{externalId}', names.externalId).replaceAll('{jobId}', names.jobId);
  const token = { partner: partner.token, reader: partner.readerToken, anonymous: undefined }[as];
  setMood(mood, parts);
  return requests.map(([request, body, headers = {}]) => {
    const [method, path = ''] = fill(request).split(' ');
    return {
      method: method === 'GET' || method === 'PUT' ? method : 'POST',
      path,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value)])),
      },
      ...(body !== undefined && { body: fill(JSON.stringify(body)) }),
    };
  });
}
