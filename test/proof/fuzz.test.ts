import { expect, it } from 'vitest';
import { runFuzz } from './fuzz.ts';

it('no input at any door, and no answer of Plangrep’s, makes a 5xx, a crash or a false “cancelled”', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`fuzz: --seed ${seed}`);
  const { violations, figures } = await runFuzz({ seed, inputs: 500, overHttp: 40, answers: 500 });
  expect(violations).toEqual([]);
  expect(figures['inputs']).toBe(2_500);
}, 60_000);
