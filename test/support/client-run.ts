import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { test as base } from 'vitest';
import { CancellationClient, type ClientOptions, type Clock } from '../../client/src/index.ts';
import { type FrontRequest, type FrontServer, startFrontServer } from './front-server.ts';
import { startTestRun, type TestRun } from './local-run.ts';

/** A clock whose waits take no time, and that records them, in milliseconds. */
export interface QuickClock extends Clock {
  readonly slept: readonly number[];
}

/** @param during runs in each wait, with the number of waits so far */
export function quickClock(during: (waits: number) => unknown = () => undefined): QuickClock {
  const slept: number[] = [];
  let nowMs = 0;
  return {
    slept,
    now: () => nowMs,
    sleep: async (ms) => {
      slept.push(ms);
      nowMs += ms;
      await during(slept.length);
    },
  };
}

/** The whole service, a server in front of it, and acme's clients, which call through that server. */
export interface ClientRun {
  readonly run: TestRun;
  readonly front: FrontServer;
  readonly credential: string;
  /** A client with a quick clock, unless the options give another. */
  createClient(options?: Partial<ClientOptions>): CancellationClient;
  /** A client with the waits and the requests that it made. */
  watchClient(options?: Partial<ClientOptions>): {
    readonly client: CancellationClient;
    readonly slept: readonly number[];
    readonly requests: () => readonly FrontRequest[];
  };
  /** A registered job of acme. */
  newJob(fields?: Parameters<TestRun['addJob']>[2]): Promise<{ readonly externalId: string; readonly jobId: string }>;
  /** A new credential of acme with these scopes only. */
  narrowCredential(scopes: string[]): Promise<string>;
  close(): Promise<void>;
}

async function startClientRun(): Promise<ClientRun> {
  const run = await startTestRun();
  const front = await startFrontServer(run.baseUrl);
  const credential = run.partners.find(({ partnerId }) => partnerId === 'acme')?.token ?? '';
  const createClient: ClientRun['createClient'] = (options) =>
    new CancellationClient({ baseUrl: front.url, credential, clock: quickClock(), ...options });
  let jobs = 0;
  let credentials = 0;
  return {
    run,
    front,
    credential,
    createClient,
    watchClient: (options) => {
      const clock = quickClock();
      const since = front.requests.length;
      const client = createClient({ clock, ...options });
      return { client, slept: clock.slept, requests: () => front.requests.slice(since) };
    },
    newJob: async (fields) => {
      jobs += 1;
      const [externalId, jobId] = [`client order ${jobs}`, `job_client_${jobs}`];
      await run.addJob(externalId, jobId, fields);
      return { externalId, jobId };
    },
    narrowCredential: async (scopes) => {
      // The secret, in base64url, may contain underscores.
      const [, , keyId = '', ...secret] = credential.split('_');
      const { client, tableNames } = run.dynamodb;
      const table = { TableName: tableNames.Partners };
      const stored = await client.send(new GetItemCommand({ ...table, Key: { pk: { S: `key#${keyId}` } } }));
      credentials += 1;
      const narrowKeyId = `narrow${credentials}`.padEnd(12, '0');
      const item = { ...stored.Item, pk: { S: `key#${narrowKeyId}` }, scopes: { SS: scopes } };
      await client.send(new PutItemCommand({ ...table, Item: item }));
      return `pcg_local_${narrowKeyId}_${secret.join('_')}`;
    },
    close: async () => {
      await front.close();
      await run.close();
    },
  };
}

/** A test of the client, given the run that all tests of its file share. Plangrep answers as usual when it starts. */
export const test = base
  // oxlint-disable-next-line eslint/no-empty-pattern -- Vitest reads from this pattern which fixtures are needed: none.
  .extend('shared', { scope: 'file' }, async ({}, { onCleanup }) => {
    const service = await startClientRun();
    onCleanup(() => service.close());
    return service;
  })
  .extend('service', ({ shared }, { onCleanup }) => {
    onCleanup(() => shared.run.simulator.faults.clear());
    return shared;
  });
