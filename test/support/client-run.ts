import { CancellationClient, type Clock, type ClientOptions } from '../../client/src/index.ts';
import { type FrontRequest, type FrontServer, startFrontServer } from './front-server.ts';
import { startTestRun, type TestRun } from './local-run.ts';

/** A clock that goes through the day in no time, and tells what was waited, in milliseconds. */
export interface QuickClock extends Clock {
  readonly slept: readonly number[];
}

/** @param during happens in each wait, with how many there were */
export const quickClock = (during: (waits: number) => unknown = () => undefined): QuickClock => {
  const slept: number[] = [];
  let now = 0;
  return {
    slept,
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
      await during(slept.length);
    },
  };
};

/** The whole service, a server in front of it, and acme's clients, which go through that server. */
export interface ClientRun {
  readonly run: TestRun;
  readonly front: FrontServer;
  readonly credential: string;
  /** With a quick clock unless told otherwise. */
  createClient(options?: Partial<ClientOptions>): CancellationClient;
  /** A client with what it waited, and what it sent since. */
  watchClient(options?: Partial<ClientOptions>): {
    readonly client: CancellationClient;
    readonly slept: readonly number[];
    readonly requests: () => readonly FrontRequest[];
  };
  /** A job of acme's, registered. */
  newJob(fields?: Parameters<TestRun['addJob']>[2]): Promise<{ readonly externalId: string; readonly jobId: string }>;
  close(): Promise<void>;
}

export const startClientRun = async (): Promise<ClientRun> => {
  const run = await startTestRun();
  const front = await startFrontServer(run.baseUrl);
  const credential = run.partners.find(({ partnerId }) => partnerId === 'acme')?.token ?? '';
  const createClient: ClientRun['createClient'] = (options) =>
    new CancellationClient({ baseUrl: front.url, credential, clock: quickClock(), ...options });
  let jobs = 0;
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
      const [externalId, jobId] = [`client order ${++jobs}`, `job_client_${jobs}`];
      await run.addJob(externalId, jobId, fields);
      return { externalId, jobId };
    },
    close: async () => {
      await front.close();
      await run.close();
    },
  };
};
