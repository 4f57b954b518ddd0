import { describe, expect, it } from 'vitest';
import { buildMutant } from './mutations/build-mutant.ts';
import { runMutations, seededBugs } from './mutations.ts';
import { seededBugsOfRegions } from './mutations/seeded-bugs-of-regions.ts';

describe('seeded bugs of the protocol', () => {
  it('are all caught, and the unchanged code breaks nothing with the same seeds', { timeout: 180_000 }, async () => {
    const { violations, figures } = await runMutations({ schedules: 5_000, seed: 1 });
    expect(violations).toEqual([]);
    expect(figures.caught).toHaveLength(seededBugs.length);
    const ofRegions = figures.caught.filter(({ bug }) => seededBugsOfRegions.some(({ name }) => name === bug));
    expect(ofRegions.map(({ invariant }) => invariant)).toEqual(
      seededBugsOfRegions.map(() => 'exactly one winner: no record is overwritten'),
    );
  });

  it('cannot be switched off by a change of the code', async () => {
    const bug = {
      name: 'a stale one',
      file: 'functions/core/use-cases/reconcile-cancellation.ts',
      from: 'no such text',
      to: '',
    };
    await expect(buildMutant(bug)).rejects.toThrow('0 times, not once');
    const elsewhere = { ...bug, file: 'functions/doors/http/serve.ts' };
    await expect(buildMutant(elsewhere)).rejects.toThrow('not part of the simulation');
  });
});
