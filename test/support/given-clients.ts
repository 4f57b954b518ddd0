import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { CancellationClient, type ClientOptions, type Clock } from '../../client/src/index.ts';
import { type FrontRequest, type FrontServer, startFrontServer } from './front-server.ts';
import type { Service } from './given-service.ts';

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

/** acme's clients, which call the service through a server in front of it. */
export interface Clients {
  readonly front: FrontServer;
  readonly credential: string;
  /** A client with a quick clock, unless the options give another. */
  create(options?: Partial<ClientOptions>): CancellationClient;
  /** A client with the waits and the requests that it made. */
  watch(options?: Partial<ClientOptions>): {
    readonly client: CancellationClient;
    readonly slept: readonly number[];
    readonly requests: () => readonly FrontRequest[];
  };
  /** A new credential of acme with these scopes only. */
  narrow(scopes: string[]): Promise<string>;
}

/** Starts the server in front of a given service before the tests of this file, and closes it after them. */
export function givenClients(service: Service): Clients {
  let front: FrontServer | undefined;
  let narrowed = 0;
  beforeAll(async () => {
    front = await startFrontServer(service.run.baseUrl);
  });
  afterAll(() => front?.close());
  const clients: Clients = {
    get front() {
      if (front === undefined) throw new Error('The server runs only during the tests');
      return front;
    },
    get credential() {
      return service.run.partners.find(({ partnerId }) => partnerId === 'acme')?.token ?? '';
    },
    create: (options) =>
      new CancellationClient({
        baseUrl: clients.front.url,
        credential: clients.credential,
        clock: quickClock(),
        ...options,
      }),
    watch(options) {
      const clock = quickClock();
      const { requests } = clients.front;
      const since = requests.length;
      return {
        client: clients.create({ clock, ...options }),
        slept: clock.slept,
        requests: () => requests.slice(since),
      };
    },
    async narrow(scopes) {
      // The secret, in base64url, may contain underscores.
      const [, , keyId = '', ...secret] = clients.credential.split('_');
      const { client, tableNames } = service.run.dynamodb;
      const table = { TableName: tableNames.Partners };
      const stored = await client.send(new GetItemCommand({ ...table, Key: { pk: { S: `key#${keyId}` } } }));
      narrowed += 1;
      const narrowKeyId = `narrow${narrowed}`.padEnd(12, '0');
      const item = { ...stored.Item, pk: { S: `key#${narrowKeyId}` }, scopes: { SS: scopes } };
      await client.send(new PutItemCommand({ ...table, Item: item }));
      return `pcg_local_${narrowKeyId}_${secret.join('_')}`;
    },
  };
  return clients;
}
