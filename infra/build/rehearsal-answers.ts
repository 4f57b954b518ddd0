import type { IncomingMessage } from 'node:http';
import { rehearsalPublicKey, signRehearsal } from './rehearsal-key.ts';
import { apiKey, endpoint, externalId, items, projectId, toAttributes } from './rehearsal-work.ts';

/** Reads find {@link items}, the archive is empty, every write succeeds, and Plangrep's jobs run until they are cancelled. */
export function answerTo(incoming: IncomingMessage, body: string): string {
  const answer = answerOf(incoming, body);
  // S3 answers in XML.
  return typeof answer === 'string' ? answer : JSON.stringify(answer);
}

function answerOf({ method, url = '', headers }: IncomingMessage, body: string): object | string {
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
      const item = [...items, endpoint(headers.host)].find(({ pk }) => pk === JSON.parse(body).Key.pk.S);
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
    case 'SendMessage':
      return {};
    default:
      throw new Error(`infra/build/rehearsal-answers.ts has no answer for ${operation}`);
  }
}
