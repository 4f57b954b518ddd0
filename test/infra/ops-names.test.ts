import { describe, expect, test } from 'vitest';
import { environmentNames } from '../../infra/blueprint/environments.ts';
import { queues } from '../../infra/cli/places/place.ts';
import { synthesized } from './stacks/synthesized.ts';

describe.each(environmentNames)('the resources that ops looks for in %s', (name) => {
  const { service, stateful } = synthesized(name);

  test.each(Object.entries(queues))('the queue %s exists once', (_, { path }) => {
    const found = Object.entries(service).filter(
      ([id, { Type }]) => Type === 'AWS::SQS::Queue' && new RegExp(`^${path}[0-9A-F]{8}$`).test(id),
    );
    expect(found).toHaveLength(1);
  });

  test('the tables and the secret have their names', () => {
    const ids = Object.keys(stateful);
    expect(ids).toEqual(expect.arrayContaining(['JobDirectory', 'CancellationLog', 'Partners', 'PlangrepKey']));
  });
});
