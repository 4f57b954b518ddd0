import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod/mini';
import {
  error,
  look,
  perform,
  recognizeCall,
  type SimulatedAnswer,
  unauthorized,
} from '../../../functions/simulator/plangrep-calls.ts';
import {
  externalIdSchema,
  type SimulatedJob,
  type SimulatedJobFields,
  simulatedJobFieldsSchema,
} from '../../../functions/simulator/plangrep-jobs.ts';
import { type AccessKey, createAccessKey, hasKey } from '../aws/access-keys.ts';
import { checkSource, type Listening, readBody, serveOnLoopback, validateJson } from '../aws/loopback.ts';
import { createFaults, type Faults, faultSchema, play, sendJson } from './plangrep-faults.ts';
import { createJobStore, createJournal, type JobStore, type Journal } from './plangrep-job-store.ts';

export interface PlangrepSimulatorOptions {
  /** The only key that it accepts at first. */
  readonly apiKey: string;
  /** Opens the simulator's own addresses ({@link control}). @default a new one */
  readonly accessKey?: AccessKey;
  /** Jobs to start with. A job that `statePath` already has stays as it is there. */
  readonly jobs?: readonly SimulatedJobFields[];
  /** A JSON file that keeps the jobs over restarts. */
  readonly statePath?: string | undefined;
  /** Milliseconds since 1970. @default the machine's clock */
  readonly now?: () => number;
}

/** The `url` is for `PLANGREP_BASE_URL`. */
export interface PlangrepSimulator extends Listening {
  /** Opens the simulator's own addresses. */
  readonly accessKey: AccessKey;
  /** From now on only this key is accepted. */
  setApiKey(key: string): void;
  /** From now on no key is accepted. */
  revokeApiKey(): void;
  /** Adds a job, or changes the given fields of the job with that id. @throws when a field is malformed */
  addJob(fields: SimulatedJobFields): SimulatedJob;
  /** The job as it is now. */
  job(jobId: string): SimulatedJob | undefined;
  jobs(): readonly SimulatedJob[];
  readonly faults: Faults;
  readonly requests: Journal;
}

const MAX_BODY_BYTES = 64 * 1024;
const noAccessKey: SimulatedAnswer = {
  ...error(401, 'no_access_key', "The simulator's own addresses need the run's access key: curl -u <id>:<secret>."),
  headers: { 'WWW-Authenticate': 'Basic realm="the local run"' },
};

/**
 * The simulator of Plangrep's jobs API (docs.plangrep.com, API reference, Jobs) on 127.0.0.1, for tests, the local run and
 * the demo. Its answers come from `functions/simulator`, which a sandbox in AWS runs too. It plays faults on demand, from
 * code or over HTTP ({@link control}).
 */
export async function startPlangrepSimulator(options: PlangrepSimulatorOptions): Promise<PlangrepSimulator> {
  const now = options.now ?? Date.now;
  const store = createJobStore(now, options.statePath);
  const faults = createFaults();
  const requests = createJournal();
  const closing = new AbortController();
  const { accessKey = createAccessKey() } = options;
  const keys = createApiKeys(options.apiKey);
  for (const job of options.jobs ?? []) if (job.id === undefined || store.get(job.id) === undefined) store.put(job);

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = request;
    const path = url.replace(/\?.*$/s, '');
    const source = checkSource(request);
    if (source.kind === 'foreign') return sendJson(response, error(403, 'forbidden', source.why));
    const isControl = path.startsWith('/simulator');
    if (isControl && !hasKey(accessKey, headers.authorization)) return sendJson(response, noAccessKey);
    const read = await readBody(request, MAX_BODY_BYTES);
    if (read.kind === 'lost') return;
    if (read.kind === 'too_large') return sendJson(response, error(413, 'body_too_large', 'The body is over 64 KiB.'));
    const body = read.bytes.toString();
    if (isControl) return sendJson(response, control(method, path, body, { faults, requests, store, keys }));

    const call = recognizeCall(method, path);
    const jobId = call.kind === 'list' || call.kind === 'create' ? undefined : call.id || undefined;
    const fault = faults.take(call.kind, jobId);
    const authorized = keys.all().some((key) => headers.authorization === `Bearer ${key}`);
    requests.add({
      at: new Date(now()).toISOString(),
      method,
      path,
      kind: call.kind,
      jobId,
      authorized,
      bodyBytes: read.bytes.length,
      fault: fault?.kind,
    });

    const answer = async (): Promise<SimulatedAnswer> => {
      if (!authorized) return unauthorized;
      if (fault?.effect === 'none') return look(call, store, now());
      return call.kind === 'create' ? createJob(call.id, headers, body, store) : perform(call, store, now());
    };
    const ordinary = await answer();
    const delayMs = fault?.delayMs ?? ordinary.delayMs ?? 0;
    if (delayMs > 0) await delay(delayMs, undefined, { signal: closing.signal });
    if (fault === undefined) sendJson(response, ordinary);
    else play(fault, response, ordinary);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((failure: unknown) => {
      // The client or the simulator has ended: nothing to answer. Any other failure is a bug here.
      if (!request.aborted && !closing.signal.aborted) {
        sendJson(response, error(500, 'simulator_error', String(failure)));
      }
    });
  });
  const { url, close } = await serveOnLoopback(server);

  return {
    url,
    accessKey,
    setApiKey: (key) => keys.set([key]),
    revokeApiKey: () => keys.set([]),
    addJob: (fields) => store.put(fields),
    job: (jobId) => store.get(jobId),
    jobs: () => store.all(),
    faults,
    requests,
    close: () => {
      closing.abort();
      return close();
    },
  };
}

const createBodySchema = z.strictObject({
  externalId: z.optional(z.nullable(externalIdSchema)),
  webhookUrl: z.optional(z.url()),
});

/** Plangrep's "create a job", which the upstream system calls. An empty body stands for an empty object. */
function createJob(projectId: string, headers: IncomingHttpHeaders, body: string, store: JobStore): SimulatedAnswer {
  const key = headers['idempotency-key']?.toString();
  if (key !== undefined && key.length > 256) {
    return error(400, 'invalid_request', 'The Idempotency-Key is longer than 256 characters.');
  }
  const input = validateJson(createBodySchema, body || '{}');
  if (!input.valid) return error(400, 'invalid_request', input.message);
  const { externalId = null, webhookUrl } = input.value;
  const { job, idempotent } = store.create({ projectId, externalId, status: 'awaiting_uploads' }, key);
  const isSecretShown = webhookUrl !== undefined && !idempotent;
  return {
    status: 202,
    body: {
      job,
      ...(idempotent && { idempotent }),
      ...(isSecretShown && { webhookSigningSecret: `whsec_${randomBytes(24).toString('base64')}` }),
    },
  };
}

interface ApiKeys {
  /** The oldest first. */
  all(): readonly string[];
  set(keys: readonly string[]): void;
  create(): string;
}

function createApiKeys(first: string): ApiKeys {
  let keys: readonly string[] = [first];
  return {
    all: () => keys,
    set: (those) => {
      keys = those;
    },
    create: () => {
      const key = `pgk_local_${randomBytes(16).toString('hex')}`;
      keys = [...keys, key];
      return key;
    },
  };
}

interface Controlled {
  readonly faults: Faults;
  readonly requests: Journal;
  readonly store: JobStore;
  readonly keys: ApiKeys;
}

/**
 * The simulator's own addresses, for people and for tests in another process, with the run's access key (`curl -u`):
 * `GET|POST|DELETE /simulator/faults`, `GET|DELETE /simulator/requests`, `GET|POST /simulator/jobs`, `POST|DELETE /simulator/keys`.
 */
function control(
  method: string,
  path: string,
  body: string,
  { faults, requests, store, keys }: Controlled,
): SimulatedAnswer {
  switch (`${method} ${path}`) {
    case 'GET /simulator/faults':
      return { status: 200, body: { faults: faults.waiting() } };
    case 'POST /simulator/faults':
      return validated(faultSchema, body, (fault) => {
        faults.add(fault);
        return { fault };
      });
    case 'DELETE /simulator/faults':
      faults.clear();
      return { status: 200, body: { faults: [] } };
    case 'GET /simulator/requests':
      return { status: 200, body: { requests: requests.all() } };
    case 'DELETE /simulator/requests':
      requests.clear();
      return { status: 200, body: { requests: [] } };
    case 'GET /simulator/jobs':
      return { status: 200, body: { jobs: store.all() } };
    case 'POST /simulator/jobs':
      return validated(simulatedJobFieldsSchema, body, (fields) => ({ job: store.put(fields) }));
    // As in Plangrep's workspace: a second key beside the first, until the first is revoked.
    case 'POST /simulator/keys':
      return { status: 201, body: { apiKey: keys.create() } };
    case 'DELETE /simulator/keys':
      keys.set(keys.all().slice(-1));
      return { status: 200, body: { keys: keys.all().length } };
    default:
      return error(404, 'not_found', 'The simulator has no such address.');
  }
}

function validated<Value>(
  schema: z.ZodMiniType<Value>,
  body: string,
  accept: (value: Value) => Readonly<Record<string, unknown>>,
): SimulatedAnswer {
  const input = validateJson(schema, body || '{}');
  return input.valid ? { status: 201, body: accept(input.value) } : error(400, 'invalid_request', input.message);
}
