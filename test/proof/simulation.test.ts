import { describe, expect, it } from 'vitest';
import { describeViolation, runSimulation, type SimulationResult } from './simulation.ts';

const inWords = ({ violations }: SimulationResult): string => violations.map(describeViolation).join('\n\n');

describe('random schedules of doors, reconcilers, crashes and lost answers', () => {
  it('break no invariant: a fixed seed', async () => {
    const result = await runSimulation({ schedules: 1_000, seed: 1, stopAfter: 1 });
    expect(inWords(result)).toBe('');
    // What never happens proves nothing.
    const { cancelCalls, reads, closed, escalated, takenOver, fenced, died } = result.figures;
    expect(Math.min(cancelCalls, reads, closed, escalated, takenOver, fenced, died)).toBeGreaterThan(0);
  });

  it('break no invariant: another seed every time', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`simulation: --seed ${seed}`);
    expect(inWords(await runSimulation({ schedules: 500, seed, stopAfter: 1 }))).toBe('');
  });

  it('are the same again under the same seed', async () => {
    const play = async () => {
      const { steps, figures } = await runSimulation({ schedules: 20, seed: 7 });
      return { steps, ...figures, schedulesPerSecond: 0 };
    };
    expect(await play()).toEqual(await play());
  });
});
