import { describe, expect, it } from 'vitest';
import { buildMutant } from './mutations/build-mutant.ts';
import { runMutations, seededBugs } from './mutations.ts';
import { checkSeeds, runTestsWithBugs } from './mutations/run-tests-with-bugs.ts';
import { seededBugsOfCallbacks } from './mutations/seeded-bugs-of-callbacks.ts';
import { seededBugsOfMany } from './mutations/seeded-bugs-of-many.ts';
import { seededBugsOfRegions } from './mutations/seeded-bugs-of-regions.ts';

describe('seeded bugs of the protocol', () => {
  it('are all caught, and the unchanged code breaks nothing with the same seeds', { timeout: 600_000 }, async () => {
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

/** The short form: `npm run proof -- --only "seeded bugs"` plays all. */
describe('seeded bugs of callbacks, and of many cancels at once', () => {
  it('are caught by the tests, which pass without them', { timeout: 600_000 }, async () => {
    // One of each file of tests that takes no long time.
    const names = [
      'the order is lost: what waits is overtaken',
      'Retry-After is ignored',
      'the time is not signed',
      'a job that has ended would be cancelled',
    ];
    const bugs = [...seededBugsOfCallbacks, ...seededBugsOfMany].filter(({ name }) => names.includes(name));
    expect(bugs).toHaveLength(names.length);
    const { caught, violations } = await runTestsWithBugs(bugs);

    expect(violations).toEqual([]);
    expect(caught.map(({ bug }) => bug)).toEqual(bugs.map(({ name }) => name));
  });

  it('that no test catches are shown, and cannot be switched off by a change of the code', async () => {
    const [bug] = seededBugsOfCallbacks;
    if (bug === undefined) throw new Error('there is one');
    const harmless = { ...bug, to: bug.from };
    expect((await runTestsWithBugs([harmless])).violations).toEqual([
      `not caught by test/${bug.test}.test.ts: ${bug.name}`,
    ]);
    checkSeeds([...seededBugsOfCallbacks, ...seededBugsOfMany]);
    expect(() => checkSeeds([{ ...bug, from: 'no such text' }])).toThrow('0 times, not once');
  });
});
