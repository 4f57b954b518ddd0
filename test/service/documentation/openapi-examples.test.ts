import { createHash } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from 'vitest';
import { gatewayResponses, type GatewayResponseType, renderGatewayResponse } from '../../../infra/blueprint/api.ts';
import { exampleCursor } from '../../../infra/openapi/example-cancellations.ts';
import { startLocalRun } from '../../../infra/local/run.ts';
import { givenService } from '../../support/given-service.ts';
import type { Answered } from '../../support/local-run.ts';
import { answerOf, readDescription, watchAnswers } from '../../support/openapi/openapi-answers.ts';

const description = readDescription();
const documented = 'job_01hy3m8qtn2e5r7k9p0w4x1def';
const otherSecret = 'x'.repeat(43);

const service = givenService();
const post = (body: unknown, headers: Readonly<Record<string, string>> = {}) => service.cancel(body, { headers });
const preview = (externalIds: unknown) =>
  service.run.call(
    'acme',
    'POST /v1/cancellation-previews',
    typeof externalIds === 'string' ? externalIds : { externalIds },
  );
const get = (path: string) => service.run.call('acme', `GET /v1/cancellations${path}`);
const put = (jobId: string, body: unknown) => service.register(jobId, body);
const insert = (table: 'Partners' | 'CancellationLog', item: Record<string, unknown>) => {
  const { client, tableNames } = service.run.dynamodb;
  return client.send(new PutItemCommand({ TableName: tableNames[table], Item: marshall(item) }));
};

let limited = 0;
/** Calls with a credential that has all scopes but one. */
const withoutScope = async (scope: string, request: string, body?: unknown): Promise<Answered> => {
  const keyId = `limited${String((limited += 1)).padStart(5, '0')}`;
  const scopes = new Set(
    ['cancellations:write', 'cancellations:read', 'jobs:write'].filter((other) => other !== scope),
  );
  const secretHash = createHash('sha256').update(otherSecret).digest('hex');
  await insert('Partners', {
    pk: `key#${keyId}`,
    partnerId: 'acme',
    secretHash,
    scopes,
    createdAt: '2026-11-02T09:00:00.000Z',
  });
  return service.run.call('acme', request, body, { Authorization: `Bearer pcg_local_${keyId}_${otherSecret}` });
};

/** Calls a separate run, whose tables are gone once it knows the credential. */
const withoutTables = async (
  request: (baseUrl: string, headers: Readonly<Record<string, string>>) => Promise<Response>,
): Promise<{ readonly status: number; readonly body: unknown }> => {
  const { onAnswer, throwIfWrong } = watchAnswers();
  const other = await startLocalRun({ reconcileEveryMs: 0, onAnswer });
  try {
    const headers = { Authorization: `Bearer ${other.partners[0]?.token}`, 'Content-Type': 'application/json' };
    await request(other.baseUrl, headers);
    await other.dynamodb.close();
    const response = await request(other.baseUrl, headers);
    return { status: response.status, body: await response.json() };
  } finally {
    await other.close();
    throwIfWrong();
  }
};

/**
 * The request that each example answers, by operation, status and name; the order matters. A shared answer is requested once,
 * at the first operation that has it.
 */
const plays: Readonly<Record<string, () => Promise<{ readonly status: number; readonly body: unknown }>>> = {
  'previewCancellations 200 previews': () => preview(['order-7890', 'order-7893', 'order-0000']),
  'previewCancellations 400 not_json': () => preview('{"externalIds":'),
  'previewCancellations 400 invalid_request': () => preview(Array.from({ length: 11 }, (_, n) => `order-${n}`)),
  'previewCancellations 403 forbidden': () =>
    withoutScope('cancellations:write', 'POST /v1/cancellation-previews', { externalIds: ['order-7890'] }),
  'listCancellations 200 none': () => get('?externalId=order-7890'),
  'readCancellation 404 job_not_found': () => get(`/${documented}`),
  'requestCancellation 200 cancelled': () =>
    post({ externalId: 'order-7890', reason: 'superseded by a newer upload' }, { 'Idempotency-Key': 'order-7890-1' }),
  'listCancellations 200 cancelled': () => get('?externalId=order-7890'),
  'requestCancellation 202 pending': () => post({ externalId: 'order-7891' }),
  'requestCancellation 400 not_json': () => post('{"externalId":'),
  'requestCancellation 400 not_utf8': () => post(Buffer.from('{"externalId":"commande-é"}', 'latin1')),
  'requestCancellation 400 invalid_request': () => post({ externalid: 'order-7890' }),
  'requestCancellation 401 unauthorized': () => post({ externalId: 'order-7890' }, { Authorization: 'Bearer guessed' }),
  'requestCancellation 403 forbidden': () =>
    withoutScope('cancellations:write', 'POST /v1/cancellations', { externalId: 'order-7890' }),
  'requestCancellation 404 job_not_found': () => post({ externalId: 'order-0000' }),
  'requestCancellation 409 ambiguous_external_id': () => post({ externalId: 'order-7893' }),
  'requestCancellation 409 job_already_terminal': () => post({ externalId: 'order-7892' }),
  'requestCancellation 409 job_unknown_to_plangrep': async () => {
    const names = { externalId: 'order-7895', jobId: 'job_gone00000000000000000007895' };
    await service.run.addJob(names.externalId, names.jobId);
    await service.unknownForMinutes(names);
    service.plangrepFails({ on: 'any', kind: 'status', status: 404 });
    return post({ externalId: 'order-7895' });
  },
  'requestCancellation 413 body_too_large': () => post({ externalId: 'order-7890', reason: 'x'.repeat(9000) }),
  'requestCancellation 415 unsupported_media_type': () =>
    post('externalId=order-7890', { 'Content-Type': 'application/x-www-form-urlencoded' }),
  'requestCancellation 422 idempotency_key_reused': () =>
    post({ externalId: 'order-7891' }, { 'Idempotency-Key': 'order-7890-1' }),
  'requestCancellation 503 unresolved': () => {
    service.plangrepFails({ on: 'list', kind: 'status', status: 503 });
    // acme's list is remembered.
    return service.cancel({ externalId: 'order-7898' }, { partner: 'globex' });
  },
  'listCancellations 200 first_page': async () => {
    await post({ externalId: 'order-7893', jobId: 'job_twin20000000000000000007893' });
    return get('?externalId=order-7893&limit=1');
  },
  'listCancellations 400 invalid_request': () => get(''),
  'listCancellations 400 not_utf8': () => get('?externalId=commande-%E9'),
  'listCancellations 400 wrong_cursor': () => get(`?externalId=order-7890&cursor=${exampleCursor}`),
  'listCancellations 403 forbidden': () =>
    withoutScope('cancellations:read', 'GET /v1/cancellations?externalId=order-7890'),
  'listCancellations 200 refused': () => get('?externalId=order-0000'),
  'listCancellations 404 job_not_found': () => get('?externalId=order-0001'),
  'readCancellation 200 cancelled': () => get(`/${documented}`),
  'readCancellation 200 pending': () => get('/job_slow00000000000000000007891'),
  'readCancellation 400 invalid_request': () => get('/job%20with%20spaces'),
  'requestCancellation 500 internal_error': async () => {
    await insert('CancellationLog', { pk: 'acme#job_torn', sk: 'event#000001', type: 'no such type' });
    return get('/job_torn');
  },
  'registerJob 200 registered': () =>
    put(documented, { externalId: 'order-7890', projectId: 'proj_01hx9z4kqr8e7m3p5n6w2v0abc' }),
  'readCancellation 403 forbidden': () => withoutScope('cancellations:read', `GET /v1/cancellations/${documented}`),
  'registerJob 400 not_json': () => put(documented, '{"externalId":'),
  'registerJob 400 not_utf8': () => put(documented, Buffer.from('{"externalId":"commande-é"}', 'latin1')),
  'registerJob 400 invalid_request': () => put('job%20with%20spaces', { externalId: 'order-7890' }),
  'registerJob 403 forbidden': () =>
    withoutScope('jobs:write', `PUT /v1/jobs/${documented}`, { externalId: 'order-7890' }),
  'registerJob 404 job_not_found': () => put('job_nobodys', { externalId: 'order-7890' }),
  'registerJob 409 too_many_jobs': async () => {
    for (let n = 0; n < 20; n++) await service.run.addJob('order-of-many', `job_of_many_${n}`);
    return put('job_one_more', { externalId: 'order-of-many' });
  },
  'registerJob 409 job_registered_otherwise': () => put(documented, { externalId: 'order-7999' }),
  'requestCancellation 503 temporarily_unavailable': () =>
    withoutTables((baseUrl, headers) =>
      fetch(`${baseUrl}/v1/cancellations`, { method: 'POST', headers, body: '{"externalId":"order-7890"}' }),
    ),
  'listCancellations 503 temporarily_unavailable': () =>
    withoutTables((baseUrl, headers) => fetch(`${baseUrl}/v1/cancellations?externalId=order-7890`, { headers })),
};

interface Shown {
  readonly status: number;
  readonly value: unknown;
}

/** Every example of an answer; the examples of a shared answer once. */
const examples = (): Map<string, Shown> => {
  const shown = new Map<string, Shown>();
  const met = new Set<string>();
  for (const { operationId, responses } of Object.values(description.paths).flatMap((methods) =>
    Object.values(methods),
  )) {
    for (const [status, part] of Object.entries(responses)) {
      const shared = '$ref' in part ? part.$ref : undefined;
      if (shared !== undefined && met.size === met.add(shared).size) continue;
      for (const { examples: named } of Object.values(answerOf(description, part).content)) {
        for (const [name, { value }] of Object.entries(named)) {
          shown.set(`${operationId} ${status} ${name}`, { status: Number(status), value });
        }
      }
    }
  }
  return shown;
};

const times = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;
const ids = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const durations = new Set(['ranMs', 'us', 'plangrep', 'person']);
/** An answer without its times, durations and ids, which differ in each run. */
const lasting = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value ?? null, (name, of: unknown) => {
      if (typeof of === 'number' && durations.has(name)) return 'a duration';
      return typeof of === 'string' ? of.replace(times, 'a time').replace(ids, 'an id') : of;
    }),
  );

const shown = examples();
const isGatewayType = (name: string): name is GatewayResponseType => Object.hasOwn(gatewayResponses, name);

describe('every example of the description is what the service answers', () => {
  test.each(Object.keys(plays))('%s', async (key) => {
    const answered = await plays[key]?.();

    expect({ status: answered?.status, body: lasting(answered?.body) }).toEqual({
      status: shown.get(key)?.status,
      body: lasting(shown.get(key)?.value),
    });
  });

  test.each([...shown.keys()].filter((key) => !Object.hasOwn(plays, key)))('%s, as the gateway words it', (key) => {
    const type = key.split(' ').at(-1)?.toUpperCase() ?? '';
    if (!isGatewayType(type)) throw new Error('no request leads to it');
    const { statusCode, body } = renderGatewayResponse(type, 'an id');

    expect({ status: statusCode, body: JSON.parse(body) }).toEqual({
      status: shown.get(key)?.status,
      body: lasting(shown.get(key)?.value),
    });
  });
});
