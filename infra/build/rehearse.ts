import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type {
  EnvironmentVariable,
  FunctionName,
  SandboxFunctionName,
  SandboxVariable,
} from '../blueprint/functions.ts';
import { rehearsalPublicKey, signRehearsal } from './rehearsal-key.ts';

type Name = FunctionName | SandboxFunctionName;
type Item = Readonly<Record<string, string | number | readonly string[]>>;

/** Each function in turn: an answer without the expected fields, or an error, ends the process with code 1. */
const rehearsal = `
(async () => {
  const [folder, file, usualWork] = process.argv.slice(1);
  for (const [name, { event, answer }] of JSON.parse(usualWork)) {
    const path = folder + '/' + name + '/' + file;
    const { handler } = file.endsWith('.cjs') ? require(path) : await import(path);
    const answered = await handler(event, { getRemainingTimeInMillis: () => 40_000 });
    const isDone = JSON.stringify({ ...answered, ...answer }) === JSON.stringify(answered);
    if (!isDone) throw new Error(name + ' answered ' + JSON.stringify(answered));
  }
  process.exit(0);
})();`;

export interface RehearsalOptions {
  /** Of Node. @default none */
  readonly flags?: readonly string[];
  /** @default every function */
  readonly only?: Name;
  /** What is loaded: with `require` if it is `index.cjs`. @default 'index.mjs' */
  readonly file?: 'index.mjs' | 'index.cjs';
}

/**
 * Loads `<folder>/<name>/<file>` of each function in one new process and has it do its usual work once: the handler
 * gets a canned event, and a server on loopback answers in place of DynamoDB, Secrets Manager and Plangrep. The process
 * has nothing of this one's environment, so that a developer's AWS profile or `NODE_OPTIONS` changes nothing.
 * @throws Error when a function does not do its work: the message has what the process printed
 */
export async function rehearse(
  folder: string,
  { flags = [], only, file = 'index.mjs' }: RehearsalOptions = {},
): Promise<void> {
  const server = createServer((incoming, response) => {
    void text(incoming).then((body) => response.end(textOf(answerTo(incoming, body))));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const work = Object.entries(usualWork).filter(([name]) => only === undefined || name === only);
  try {
    const env = { ...environment(`http://127.0.0.1:${port}`), HOME: folder };
    await promisify(execFile)(process.execPath, [...flags, '-e', rehearsal, folder, file, JSON.stringify(work)], {
      env,
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const [partnerId, projectId, apiKey, secret] = ['acme', 'proj_1', 'pgk_rehearsal_key', 'k'.repeat(43)];
const scopes = ['cancellations:write', 'cancellations:read', 'jobs:write'];
const at = new Date(Date.now() - 600_000).toISOString();
const hash = '0'.repeat(64);
const externalId = 'order-1';
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
const items: readonly Item[] = [
  { pk: 'key#rehearsal001', partnerId, scopes, secretHash: createHash('sha256').update(secret).digest('hex') },
  { pk: `partner#${partnerId}`, projects: 'any' },
  { pk: `${partnerId}#job#${externalId}`, sk: 'job_1', registeredAt: at, verifiedAt: at },
  { pk: `${partnerId}#job#order-2`, sk: 'job_2', registeredAt: at, verifiedAt: at },
  eventItem('job_2', 1, requested),
  closedItem,
  eventItem('job_3', 1, { ...requested, wakeShard: '0', wakeAt: at }),
];

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
const usualWork: Readonly<Record<Name, { event: object; answer: object }>> = {
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

/** The variables of all functions. */
function environment(url: string): Readonly<Record<EnvironmentVariable | SandboxVariable | `AWS_${string}`, string>> {
  return {
    ENVIRONMENT: 'local',
    PLANGREP_BASE_URL: url,
    PLANGREP_SECRET_ID: 'rehearsal',
    JOB_DIRECTORY_TABLE: 'JobDirectory',
    CANCELLATION_LOG_TABLE: 'CancellationLog',
    PARTNERS_TABLE: 'Partners',
    SANDBOX_TABLE: 'Sandbox',
    EVENTS_MAX_RECEIVES: '5',
    RETENTION_DAYS: 'events=90&requests=30&jobs=30',
    EVENTS_DEAD_LETTERS_URL: `${url}/000000000000/dead-letters`,
    WAKE_UP_QUEUE_URL: `${url}/000000000000/wake-ups`,
    EVENTBRIDGE_URL: url,
    EVENT_BUS_NAME: 'default',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'rehearsal',
    AWS_SECRET_ACCESS_KEY: 'rehearsal',
    ARCHIVE_BUCKET: 'archive',
    SEAL_KEY: 'alias/seal',
    SEAL_MARGIN_SECONDS: '60',
    AWS_ENDPOINT_URL_DYNAMODB: url,
    AWS_ENDPOINT_URL_KMS: url,
    AWS_ENDPOINT_URL_S3: url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
  };
}

/** S3 answers in XML. */
function textOf(answer: object | string): string {
  return typeof answer === 'string' ? answer : JSON.stringify(answer);
}

/** Reads find {@link items}, the archive is empty, every write succeeds, and Plangrep's jobs run until they are cancelled. */
function answerTo({ method, url = '', headers }: IncomingMessage, body: string): object | string {
  const operation = headers['x-amz-target']?.toString().split('.')[1];
  switch (operation) {
    case undefined: {
      if (url.startsWith('/archive')) return method === 'GET' ? '<ListBucketResult/>' : '';
      const [, jobId] = /^\/api\/open\/v1\/jobs\/(\w+)/.exec(url) ?? [];
      const status = method === 'POST' ? 'cancelled' : 'processing';
      return { job: { id: jobId, status, externalId, projectId, pageCount: 204, billing: { creditsDebited: 63 } } };
    }
    case 'GetSecretValue':
      return { SecretString: apiKey, CreatedDate: Date.now() / 1000 };
    case 'GetItem': {
      const item = items.find(({ pk }) => pk === JSON.parse(body).Key.pk.S);
      return item === undefined ? {} : { Item: toAttributes(item) };
    }
    case 'Query': {
      const values = JSON.parse(body).ExpressionAttributeValues;
      const found = items.filter(({ pk, sk, wakeShard }) =>
        values[':shard'] === undefined
          ? pk === values[':pk'].S && String(sk).startsWith(values[':prefix']?.S ?? '')
          : wakeShard === values[':shard'].S,
      );
      return { Items: found.map(toAttributes) };
    }
    case 'GetPublicKey':
      return { PublicKey: rehearsalPublicKey };
    case 'Sign':
      return { Signature: signRehearsal(Buffer.from(JSON.parse(body).Message, 'base64')) };
    case 'PutEvents':
      return { FailedEntryCount: 0, Entries: [{ EventId: 'event' }] };
    case 'PutItem':
    case 'UpdateItem':
      return {};
    default:
      throw new Error(`infra/build/rehearse.ts has no answer for ${operation}`);
  }
}

function toAttributes(item: Item): object {
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
