import { describe, expect, test } from 'vitest';
import { eventDoor } from '../../infra/blueprint/bus-events.ts';
import { runCallbackCrashes } from './crash-callbacks.ts';
import { describeViolation, runSimulation, type SimulationResult } from './simulation.ts';
import { MAX_RECEIVES } from './simulation/doors.ts';
import { runSoakCallbacks } from './soak-callbacks.ts';
import { runSoak } from './soak.ts';

/** The short forms of the proofs that play the core on stores in memory. `npm run proof` plays the whole forms. */
const inWords = ({ violations }: SimulationResult): string => violations.map(describeViolation).join('\n\n');

describe('random schedules of doors, reconcilers, crashes and lost answers', () => {
  test('break no invariant: a fixed seed', async () => {
    const result = await runSimulation({ schedules: 1_000, seed: 1, stopAfter: 1 });

    expect(inWords(result)).toBe('');
    // An event that never occurs proves nothing.
    expect(Object.entries(result.figures).filter(([, count]) => count === 0)).toEqual([]);
  });

  test('break no invariant: another seed every time', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`simulation: --seed ${seed}`);

    const result = await runSimulation({ schedules: 500, seed, stopAfter: 1 });

    expect(inWords(result)).toBe('');
  });

  test('hand out an event as often as the blueprint’s queue', () => {
    expect(MAX_RECEIVES).toBe(eventDoor.maxReceives);
  });

  test('are the same again under the same seed', async () => {
    const play = async () => {
      const { steps, figures } = await runSimulation({ schedules: 20, seed: 7 });
      return { steps, ...figures, schedulesPerSecond: 0 };
    };

    const first = await play();
    const second = await play();

    expect(second).toEqual(first);
  });
});

test('the soak loses none of many cancellations with faults, and leaves nothing open', async () => {
  const { violations, figures } = await runSoak({ cancellations: 2_000, seed: 1 });

  expect(violations).toEqual([]);
  expect(figures).toMatchObject({ requested: 2_000, closed: 2_000, lost: 0 });
});

test('the soak of the callbacks loses none of many with faults, and each partner hears of a job in order', async () => {
  const { violations, figures } = await runSoakCallbacks({ callbacks: 1_000, seed: 1 });

  expect(violations).toEqual([]);
  expect(figures.delivered).toBe(figures.expected);
  // What never occurs proves nothing.
  const { lost, setAside: _setAside, ...others } = figures;
  expect([lost, Object.entries(others).filter(([, count]) => count === 0)]).toEqual([0, []]);
});

test('the functions of the callbacks may be killed before and after every call outside: all is told, in order', async () => {
  const { violations, figures } = await runCallbackCrashes();

  expect(violations).toEqual([]);
  expect(figures.recovered).toBe(figures.crashPoints);
  expect(figures.crashPoints).toBeGreaterThan(100);
});
