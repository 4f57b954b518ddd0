import { exampleJob, type SimulatedJobFields } from '../../functions/simulator/plangrep-jobs.ts';
import { projects, stories } from '../scenes/stories.ts';

export type SeededJob = SimulatedJobFields & {
  readonly id: string;
  readonly externalId: string;
  readonly projectId: string;
};

export interface SeededPartner {
  readonly partnerId: string;
  /** The same in every run, so that the new key of a run replaces the key of the run before. */
  readonly keyId: string;
  /** The same for a key that can only read. */
  readonly readerKeyId: string;
  readonly projectId: string;
  readonly jobs: readonly SeededJob[];
}

/** The two partners of every local run, and their jobs in the simulator: those of the stories. */
export const seededPartners: readonly SeededPartner[] = [
  seedPartner('acme', { keyId: 'acmelocal001', readerKeyId: 'acmereader01' }),
  seedPartner('globex', { keyId: 'globexlocal1', readerKeyId: 'globexreader' }),
];

/** @returns whether it is Plangrep's documented cancel example: the only job that another upstream has too */
export function isExampleJob({ id }: SeededJob): boolean {
  return id === exampleJob.id;
}

function seedPartner(
  partnerId: keyof typeof projects,
  keys: Pick<SeededPartner, 'keyId' | 'readerKeyId'>,
): SeededPartner {
  const projectId = projects[partnerId];
  const jobs = stories
    .filter((story) => story.partnerId === partnerId)
    .flatMap((story) => story.jobs.map((job) => ({ ...job, externalId: story.externalId, projectId })));
  return { partnerId, ...keys, projectId, jobs };
}
