import { describe, expect, it } from 'vitest';
import { callsPerPath } from '../bench/calls/calls-per-path.ts';
import { lambdaDollars } from '../bench/cost/list-prices.ts';
import {
  expressWorkflowCost,
  oursCost,
  standardWorkflowCost,
  tutorialCost,
  unitsPerCancellation,
} from '../bench/cost/cost-model.ts';

const handler = { cpuMs: 1, coldMs: 100 };
const assumed = { plangrepMs: 200, dynamoDbMs: 5, coldShare: 0, memoryMb: 1_769 };
const calls = { requests: { 'PutItem CancellationLog': 2 }, writeUnits: 2, readUnits: 0.5, storedBytes: 0 } as const;

describe('the costs', () => {
  it('of a function are its request and its milliseconds, rounded up, at its memory', () => {
    expect(lambdaDollars(99.2, 512)).toBeCloseTo(0.1 * 0.5 * 0.0000133334, 12);
    const { compute, dynamoDb } = tutorialCost(handler, calls, assumed);
    expect(compute).toBeCloseTo(0.2 + 0.211 * (1_769 / 1_024) * 13.3334, 6);
    expect(dynamoDb).toBeCloseTo(2 * 0.625 + 0.5 * 0.125, 6);
  });

  it('of a smaller function hold a longer CPU time', () => {
    const small = tutorialCost(handler, calls, { ...assumed, memoryMb: 1_769 / 4 });
    expect(small.compute).toBeCloseTo(0.2 + 0.214 * (1_769 / 4 / 1_024) * 13.3334, 6);
  });

  it('of a container’s start are its milliseconds, as often as there is one', () => {
    const more = tutorialCost(handler, calls, { ...assumed, coldShare: 0.5 }).compute;
    const without = tutorialCost(handler, calls, assumed).compute;
    expect(more - without).toBeCloseTo(0.5 * 0.1 * (1_769 / 1_024) * 13.3334, 6);
  });

  it('of this service hold what the reconciler does after a cancel', () => {
    expect(unitsPerCancellation).toEqual({ writeUnits: 6, readUnits: 2.1, storedBytes: expect.any(Number) });
    const ours = oursCost(handler, callsPerPath.cancelled, assumed);
    expect(ours.dynamoDb).toBeGreaterThan(6 * 0.625 + 2.1 * 0.125);
    expect(ours.compute).toBeGreaterThan(tutorialCost(handler, callsPerPath.cancelled, assumed).compute);
  });

  it('of a workflow are its six states, or its hundreds of milliseconds at 64 MB, and the same requests to DynamoDB', () => {
    const { compute, dynamoDb } = standardWorkflowCost();
    expect(compute).toBeCloseTo(6 * 25, 6);
    expect(dynamoDb).toBeCloseTo(2 * 0.625 + 0.125, 6);
    expect(expressWorkflowCost(assumed).compute).toBeCloseTo(1 + 0.3 * 0.0625 * 16.67, 6);
  });
});
