import { describe, expect, test } from 'vitest';
import { runCrashes } from './crash.ts';
import { runFaultMatrix } from './fault-matrix.ts';
import { runFuzz } from './fuzz.ts';
import { runMany } from './many.ts';
import { runStorm } from './storm.ts';

/** The short forms of the proofs that play the real bundles. `npm run proof` plays the whole forms. */
describe('the bundles that are deployed', { timeout: 60_000 }, () => {
  test('lose nothing when a process is killed between two steps, whether the caller repeats or not', async () => {
    const seed = newSeed('crashes');
    const doorNames = ['POST cancel', 'Job Cancellation Requested', 'reconciler: takes over, nothing sent'];

    const { violations, figures } = await runCrashes({ seed, doorNames, atMost: 10, stages: 2 });

    expect(violations).toEqual([]);
    expect(figures).toMatchObject({ doors: 3, crashPoints: 10, recovered: 10, restarts: 2 });
  });

  test('may lose every answer at every hop: no 5xx once requested is on record, no false “cancelled”, the right end', async () => {
    const { violations, figures } = await runFaultMatrix({
      faults: ['all answers lost'],
      endpoints: ['ok', 'moved', 'gone', 'limited', 'reset', 'closed port', 'private address'],
      stages: 2,
    });

    expect(violations).toEqual([]);
    expect(figures.recovered).toBe(figures.cells);
  });

  test('make 10 cancel calls of 500 duplicates over 10 jobs, and answer each with its own job', async () => {
    const { violations, figures } = await runStorm({ requests: 500, jobs: 10, seed: 1 });

    expect(violations).toEqual([]);
    expect(figures).toMatchObject({ cancelCalls: 10, requested: 10, closed: 10, joined: 490 });
  });

  test('cancel each of 120 orders of a file once, though the command is killed three times and Plangrep limits it', async () => {
    const seed = newSeed('many');

    const { violations, figures } = await runMany({ orders: 120, ratePerSecond: 60, seed });

    expect(violations).toEqual([]);
    expect(figures).toMatchObject({ cancelled: 120, cancelCalls: 120 });
  });

  test('answer no input and no answer of Plangrep with a 5xx, a crash or a false “cancelled”', async () => {
    const seed = newSeed('fuzz');

    const { violations, figures } = await runFuzz({ seed, inputs: 500, overHttp: 40, answers: 500 });

    expect(violations).toEqual([]);
    expect(figures['inputs']).toBe(3_000);
  });
});

/** @returns a random seed, printed so that `npm run proof -- --seed` can replay it */
function newSeed(proof: string): number {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`${proof}: --seed ${seed}`);
  return seed;
}
