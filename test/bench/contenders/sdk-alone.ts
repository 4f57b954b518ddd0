import { GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { createDynamoDbClient } from '../../../functions/adapters/aws-clients.ts';
import { readRequests, send, type WireRequest } from './bare-https.ts';

const client = createDynamoDbClient();
const requests = readRequests();

function sendBySdk({ headers, body }: WireRequest): Promise<unknown> {
  const operation = String(headers['x-amz-target']).replace(/^.*\./, '');
  const input = JSON.parse(body);
  switch (operation) {
    case 'GetItem':
      return client.send(new GetItemCommand(input));
    case 'PutItem':
      return client.send(new PutItemCommand(input));
    case 'Query':
      return client.send(new QueryCommand(input));
    default:
      throw new Error(`no command for ${operation}`);
  }
}

/**
 * The AWS SDK's three requests to DynamoDB alone, by the client that the functions use: the input and the answers are not
 * read, and no event is made. The other request is sent by {@link send bare https}.
 */
export const handler = async (): Promise<object> => {
  for (const one of requests) {
    if (one.headers['x-amz-target'] === undefined) await send(one);
    else await sendBySdk(one);
  }
  return { statusCode: 200, body: '{}' };
};
