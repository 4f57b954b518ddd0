import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { functions } from '../../../infra/blueprint/functions.ts';
import { startContainer } from '../../../infra/local/aws/lambda/container.ts';
import { startRawServer } from '../../support/raw-server.ts';

/** Nothing answers there. */
const nowhere = 'http://127.0.0.1:9';

/** A function as it is built, beside a Plangrep that accepts connections and never answers. */
const start = async (name: keyof typeof functions) => {
  const sockets: Socket[] = [];
  const plangrep = await startRawServer((socket) => sockets.push(socket));
  onTestFinished(() => plangrep.close());
  const values: Record<string, string> = {
    ...Object.fromEntries(functions[name].environment.map((variable) => [variable, `${nowhere}/`])),
    ENVIRONMENT: 'local',
    EVENTS_MAX_RECEIVES: '1',
    RETENTION_DAYS: 'events=90&requests=30&jobs=30',
    PLANGREP_BASE_URL: `http://127.0.0.1:${plangrep.port}`,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'none',
    AWS_SECRET_ACCESS_KEY: 'none',
    AWS_ENDPOINT_URL_DYNAMODB: nowhere,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: nowhere,
    AWS_ENDPOINT_URL_SQS: nowhere,
  };
  const container = await startContainer({
    functionName: name,
    directory: new URL(`../../../dist/functions/${name}`, import.meta.url).pathname,
    environment: values,
    timeoutMs: 15_000,
    memoryMb: 512,
  });
  onTestFinished(async () => {
    container.kill();
    await container.ended;
  });
  await container.ready;
  return { container, plangrep, sockets };
};

describe('A function that probably calls Plangrep', () => {
  test.each(['request-cancellation', 'register-job', 'consume-events', 'consume-wake-ups'] as const)(
    '%s connects at its start, and sends nothing',
    async (name) => {
      const { plangrep } = await start(name);
      await vi.waitFor(() => expect(plangrep.connections()).toBe(1));

      expect(plangrep.received()).toBe('');
    },
  );

  test('connects again at the beginning of an invocation that finds no connection, and sends nothing', async () => {
    const { container, plangrep, sockets } = await start('request-cancellation');
    await vi.waitFor(() => expect(plangrep.connections()).toBe(1));
    sockets[0]?.end();
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
    await container.invoke({ requestContext: {} });

    await vi.waitFor(() => expect(plangrep.connections()).toBe(2));
    expect(plangrep.received()).toBe('');
  });
});

test('The reconciler, which runs every minute and is seldom needed, connects when it calls', async () => {
  const { container, plangrep } = await start('reconcile-cancellations');
  await container.invoke({});

  expect(plangrep.connections()).toBe(0);
});
