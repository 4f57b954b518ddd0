import type { ProblemCode } from '../../functions/contract/problems.ts';
import type { LocalDynamoDb } from '../local/aws/dynamodb.ts';
import type { PlangrepSimulator } from '../local/plangrep/plangrep-simulator.ts';
import type { PartnerCredential } from '../local/seed-tables.ts';
import type { ServiceFaults } from '../local/aws/service-faults.ts';
import { addFreshJob, type FreshJobKindId } from './fresh-jobs.ts';
import { type MoodId, setMood } from './moods.ts';

/** A request, ready to be sent. */
export interface SceneRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What leads to a problem. */
interface ProblemScene {
  readonly how: string;
  readonly mood?: MoodId;
  /** Whose names stand for `{externalId}` and `{jobId}` in the requests. */
  readonly job?: FreshJobKindId;
  /** @default partner */
  readonly as?: 'partner' | 'reader' | 'nobody';
  /** `METHOD path`, body and headers; the last one meets the problem. */
  readonly requests: readonly (readonly [string, object?, Readonly<Record<string, string>>?])[];
}

const cancel = 'POST /v1/cancellations';
const theJob = { externalId: '{externalId}' };
const onceOnly = { 'Idempotency-Key': '{jobId}' };

/** For every problem a way to meet it here, through nothing but requests and moods. */
export const problemScenes: Readonly<Record<ProblemCode, ProblemScene>> = {
  invalid_request: {
    how: 'a field that does not exist',
    requests: [[cancel, { externalId: 'order-7890', urgent: true }]],
  },
  unauthorized: { how: 'no credential', as: 'nobody', requests: [[cancel, { externalId: 'order-7890' }]] },
  forbidden: {
    how: 'a credential that may only read',
    as: 'reader',
    requests: [[cancel, { externalId: 'order-7890' }]],
  },
  job_not_found: { how: 'a name that nobody registered', requests: [[cancel, { externalId: 'no-such-order' }]] },
  route_not_found: { how: 'a slash too many', requests: [['GET /v1/cancellations/']] },
  ambiguous_external_id: { how: 'two live jobs of one name', job: 'twins', requests: [[cancel, theJob]] },
  job_already_terminal: { how: 'a job that completed before', job: 'completed', requests: [[cancel, theJob]] },
  job_unknown_to_plangrep: {
    how: 'a job that only the directory knows',
    job: 'unknown_to_plangrep',
    requests: [[cancel, theJob]],
  },
  job_registered_otherwise: {
    how: 'a job registered under a second name',
    job: 'running',
    requests: [['PUT /v1/jobs/{jobId}', { externalId: 'another-name' }]],
  },
  body_too_large: {
    how: 'a reason of 9,000 characters',
    requests: [[cancel, { externalId: 'order-7890', reason: 'x'.repeat(9_000) }]],
  },
  unsupported_media_type: {
    how: 'a body that says it is plain text',
    requests: [[cancel, { externalId: 'order-7890' }, { 'Content-Type': 'text/plain' }]],
  },
  idempotency_key_reused: {
    how: 'one key for two different requests',
    job: 'running',
    requests: [
      [cancel, { ...theJob, reason: 'the first' }, onceOnly],
      [cancel, { ...theJob, reason: 'the second' }, onceOnly],
    ],
  },
  too_many_requests: {
    how: 'two requests at once, where the gateway lets through one',
    mood: 'throttled',
    requests: [['GET /v1/cancellations?externalId=order-7890'], ['GET /v1/cancellations?externalId=order-7890']],
  },
  internal_error: {
    how: 'a function that crashes',
    mood: 'functions_crash',
    job: 'running',
    requests: [[cancel, theJob]],
  },
  temporarily_unavailable: {
    how: 'a DynamoDB that does not answer',
    mood: 'tables_down',
    job: 'running',
    requests: [[cancel, theJob]],
  },
  gateway_timeout: {
    how: 'a function that answers too late',
    mood: 'functions_late',
    job: 'running',
    requests: [[cancel, theJob]],
  },
};

export interface SceneParts {
  readonly dynamodb: LocalDynamoDb;
  readonly simulator: PlangrepSimulator;
  readonly partners: readonly PartnerCredential[];
  readonly faults: ServiceFaults;
}

/**
 * Puts the run in the state that a problem needs. Whoever sends the requests, one after the other, meets it with the
 * last; then `setMood(undefined, …)` ends the scene.
 */
export const prepareScene = async (code: ProblemCode, parts: SceneParts): Promise<readonly SceneRequest[]> => {
  const { mood, job, as = 'partner', requests } = problemScenes[code];
  const [partner] = parts.partners;
  if (partner === undefined) throw new Error('a local run has partners');
  const names = job === undefined ? undefined : await addFreshJob(partner.partnerId, job, parts);
  const fill = (text: string): string =>
    text.replaceAll('{externalId}', names?.externalId ?? '').replaceAll('{jobId}', names?.jobId ?? '');
  const tokens = { partner: partner.token, reader: partner.readerToken, nobody: undefined };
  const token = tokens[as];
  setMood(mood, parts);
  return requests.map(([request, body, headers]) => {
    const [method, path = ''] = fill(request).split(' ');
    return {
      method: method === 'GET' || method === 'PUT' ? method : 'POST',
      path,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, fill(value)])),
      },
      ...(body !== undefined && { body: fill(JSON.stringify(body)) }),
    };
  });
};
