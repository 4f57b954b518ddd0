import { createHash } from 'node:crypto';
import type { FunctionName, SandboxFunctionName } from '../blueprint/functions.ts';

// What the functions do when the build rehearses them (`rehearse.ts`).

export type Name = FunctionName | SandboxFunctionName;
type Item = Readonly<Record<string, string | number | readonly string[]>>;

const [partnerId, secret] = ['acme', 'k'.repeat(43)];
export const [projectId, apiKey, externalId] = ['proj_1', 'pgk_rehearsal_key_that_is_long_enough', 'order-1'];
const scopes = ['cancellations:write', 'cancellations:read', 'jobs:write'];
const at = new Date(Date.now() - 600_000).toISOString();
const hash = '0'.repeat(64);
const requested = {
  type: 'requested',
  door: 'https',
  requestId: 'request',
  externalId,
  externalIdSalt: '0'.repeat(32),
  externalIdCommitment: hash,
  attempt: 1,
  claimedBy: 'claimant',
  leaseUntil: at,
};

const closedItem = eventItem('job_2', 2, {
  type: 'closed',
  outcome: 'cancelled',
  jobStatus: 'cancelled',
  pageCount: 204,
});

/** In the tables: a credential, a partner's record, a job to cancel, a job that is cancelled, and one whose cancellation is due. */
export const items: readonly Item[] = [
  { pk: 'key#rehearsal001', partnerId, scopes, secretHash: createHash('sha256').update(secret).digest('hex') },
  { pk: `partner#${partnerId}`, projects: 'any' },
  { pk: `${partnerId}#job#${externalId}`, sk: 'job_1', registeredAt: at, verifiedAt: at },
  { pk: `${partnerId}#job#order-2`, sk: 'job_2', registeredAt: at, verifiedAt: at },
  eventItem('job_2', 1, requested),
  closedItem,
  eventItem('job_3', 1, { ...requested, wakeShard: '0', wakeAt: at }),
];

/** Where callbacks go: this server, which answers them as it answers Plangrep's callers. */
export const endpoint = (host = ''): Item => ({
  pk: `callback#${partnerId}`,
  url: `http://${host}/callbacks`,
  version: 1,
});

const message = {
  partnerId,
  id: 'event',
  time: new Date().toISOString(),
  detailType: 'Job Cancellation Requested',
  detail: { externalId },
};

/** Of the cancellation that is due. */
const wakeUp = { partnerId, jobId: 'job_3', seq: 1, wakeAt: at };

/** Each function's event, and a field of its answer that shows that the work was done. */
export const usualWork: Readonly<Record<Name, { event: object; answer: object }>> = {
  'authorize-partner': {
    event: {
      type: 'TOKEN',
      authorizationToken: `Bearer pcg_local_rehearsal001_${secret}`,
      methodArn: 'arn:aws:execute-api:eu-west-1:000000000000:api/local/POST/v1/cancellations',
    },
    answer: { principalId: partnerId },
  },
  'request-cancellation': {
    event: request('/v1/cancellations', { body: JSON.stringify({ externalId }) }),
    answer: { statusCode: 200 },
  },
  'read-cancellations': {
    event: request('/v1/cancellations', { multiValueQueryStringParameters: { externalId: ['order-2'] } }),
    answer: { statusCode: 200 },
  },
  'register-job': {
    event: request('/v1/jobs/{jobId}', {
      pathParameters: { jobId: 'job_1' },
      body: JSON.stringify({ externalId, projectId }),
    }),
    answer: { statusCode: 200 },
  },
  'consume-events': {
    event: {
      Records: [
        {
          messageId: 'message',
          attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(Date.now()) },
          body: JSON.stringify(message),
        },
      ],
    },
    answer: { batchItemFailures: [] },
  },
  'consume-wake-ups': {
    event: {
      Records: [{ messageId: 'message', attributes: { ApproximateReceiveCount: '1' }, body: JSON.stringify(wakeUp) }],
    },
    answer: { batchItemFailures: [] },
  },
  'announce-cancellations': {
    event: { Records: [{ eventID: 'record', dynamodb: { SequenceNumber: '1', NewImage: toAttributes(closedItem) } }] },
    answer: { batchItemFailures: [] },
  },
  'deliver-callbacks': {
    event: {
      Records: [
        {
          messageId: 'message',
          attributes: { ApproximateReceiveCount: '1' },
          body: JSON.stringify({ partnerId, jobId: 'job_2' }),
        },
      ],
    },
    answer: { batchItemFailures: [] },
  },
  'archive-records': {
    event: {
      Records: [
        {
          dynamodb: {
            ApproximateCreationDateTime: 1_795_000_000,
            Keys: { pk: { S: closedItem['pk'] }, sk: { S: closedItem['sk'] } },
            SequenceNumber: '1',
            StreamViewType: 'NEW_AND_OLD_IMAGES',
            NewImage: toAttributes(closedItem),
          },
        },
      ],
    },
    answer: { batchItemFailures: [] },
  },
  'seal-archive': { event: {}, answer: { digests: [1], isDone: true } },
  'reconcile-cancellations': { event: {}, answer: { looked: 1, failed: 0 } },
  'read-documentation': { event: request('/docs', {}), answer: { statusCode: 200 } },
  'answer-unknown-route': { event: request('/{proxy+}', {}), answer: { statusCode: 404 } },
  'simulate-plangrep': {
    event: {
      rawPath: '/api/open/v1/jobs/job_sandbox_processing/cancel',
      requestContext: { http: { method: 'POST' } },
      headers: { authorization: `Bearer ${apiKey}` },
    },
    answer: { statusCode: 200 },
  },
};

/** An item as DynamoDB sends it. */
export function toAttributes(item: Item): object {
  const attributes = Object.entries(item).map(([name, value]) => {
    if (typeof value === 'object') return [name, { SS: value }];
    return [name, typeof value === 'string' ? { S: value } : { N: String(value) }];
  });
  return Object.fromEntries(attributes);
}

function eventItem(jobId: string, seq: number, body: Item): Item {
  const keys = { pk: `${partnerId}#${jobId}`, sk: `event#${String(seq).padStart(6, '0')}` };
  const envelope = { format: 1, partnerId, jobId, seq, eventId: 'id', at, previousHash: hash, hash };
  return { ...keys, ...body, ...envelope, deleteAfter: 4_000_000_000 };
}

/** A request as API Gateway hands it to a function after the authorizer: the fields that the functions read. */
function request(resource: string, fields: object): object {
  const authorizer = { partnerId, keyId: 'rehearsal001', scopes: scopes.join(' ') };
  return {
    resource,
    path: resource,
    multiValueHeaders: { 'Content-Type': ['application/json'] },
    requestContext: { authorizer, path: resource, requestId: 'request' },
    isBase64Encoded: false,
    ...fields,
  };
}
