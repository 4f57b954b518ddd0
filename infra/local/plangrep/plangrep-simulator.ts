import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { error, look, perform, recognizeCall, unauthorized } from '../../../functions/simulator/plangrep-calls.ts';
import type { SimulatedJob, SimulatedJobFields } from '../../../functions/simulator/plangrep-jobs.ts';
import { listenOnLoopback } from '../aws/listen-on-loopback.ts';
import { createJob } from './create-job.ts';
import { createFaults, type Faults, play, sendJson } from './plangrep-faults.ts';
import { createJobStore } from './plangrep-job-store.ts';
import { createJournal, type Journal } from './plangrep-journal.ts';
import { control } from './plangrep-simulator-control.ts';

export interface PlangrepSimulatorOptions {
  /** Default: any free one. */
  readonly port?: number;
  /** The one key that opens it. */
  readonly apiKey: string;
  /** Jobs to begin with; one that `statePath` has already is left as it is there. */
  readonly jobs?: readonly SimulatedJobFields[];
  /** A JSON file that keeps the jobs over restarts. */
  readonly statePath?: string;
  /** Milliseconds since 1970. Default: the machine's clock. */
  readonly now?: () => number;
}

export interface PlangrepSimulator {
  /** For `PLANGREP_BASE_URL`. */
  readonly url: string;
  /** From now on this key is the right one. */
  setApiKey(key: string): void;
  /** From now on no key is right. */
  revokeApiKey(): void;
  /** Adds a job, or changes the given fields of the one that has the id. @throws when a field is malformed */
  addJob(fields: SimulatedJobFields): SimulatedJob;
  /** The job as it is by now. */
  job(jobId: string): SimulatedJob | undefined;
  jobs(): readonly SimulatedJob[];
  readonly faults: Faults;
  readonly requests: Journal;
  /** Ends at once, open connections too. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024;

/**
 * The one imitation of Plangrep's jobs API (docs.plangrep.com, API reference, Jobs), on 127.0.0.1: for tests, the local
 * run and the demo. What it answers is `functions/simulator`, which a sandbox runs in AWS too. It misbehaves as told, from code or over HTTP: see `plangrep-faults.ts`, `plangrep-simulator-control.ts`.
 */
export const startPlangrepSimulator = async (options: PlangrepSimulatorOptions): Promise<PlangrepSimulator> => {
  const now = options.now ?? Date.now;
  const store = createJobStore(now, options.statePath);
  const faults = createFaults();
  const requests = createJournal();
  const closing = new AbortController();
  let apiKey: string | undefined = options.apiKey;
  for (const job of options.jobs ?? []) if (job.id === undefined || !store.get(job.id)) store.put(job);

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = request;
    const path = url.replace(/\?.*$/s, '');
    const bytes = await readBody(request);
    if (bytes === undefined) return sendJson(response, error(413, 'body_too_large', 'The body is over 64 KiB.'));
    const body = bytes.toString();
    const controlled = control(method, path, body, { faults, requests, store });
    if (controlled) return sendJson(response, controlled);

    const call = recognizeCall(method, path);
    const jobId = call.kind === 'cancel' || call.kind === 'read' ? call.id : undefined;
    const fault = faults.take(call.kind, jobId);
    const authorized = apiKey !== undefined && headers.authorization === `Bearer ${apiKey}`;
    const at = new Date(now()).toISOString();
    requests.add({ at, method, path, kind: call.kind, jobId, authorized, bodyBytes: bytes.length, fault: fault?.kind });

    const answer = async (effect: boolean) => {
      if (!authorized) return unauthorized;
      if (!effect) return look(call, store, now());
      return call.kind === 'create' ? createJob(call.id, { headers, body }, store) : perform(call, store, now());
    };
    const ordinary = await answer(fault === undefined || fault.effect === 'applied');
    const delayMs = fault?.delayMs ?? ordinary.delayMs ?? 0;
    if (delayMs > 0) await delay(delayMs, undefined, { signal: closing.signal });
    if (!fault) return sendJson(response, ordinary);
    return play(fault, response, ordinary);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((failure: unknown) => {
      // A client that went away or the end of the imitation: nobody is left to answer. Else a mistake here: say so.
      if (!request.aborted && !closing.signal.aborted) {
        sendJson(response, error(500, 'simulator_error', String(failure)));
      }
    });
  });
  const listening = await listenOnLoopback(server, options.port);

  return {
    url: `http://127.0.0.1:${listening}`,
    setApiKey(key) {
      apiKey = key;
    },
    revokeApiKey() {
      apiKey = undefined;
    },
    addJob: (fields) => store.put(fields),
    job: (jobId) => store.get(jobId),
    jobs: () => store.all(),
    faults,
    requests,
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const readBody = async (request: IncomingMessage): Promise<Buffer | undefined> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined;
};
