import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';

/** For both tries together. A queue answers in milliseconds. */
const DEADLINE_MS = 2_000;
const TRIES = 2;

export interface Message {
  readonly MessageBody: string;
  /** From 0 to 900: the queue hides the message for so long. */
  readonly DelaySeconds?: number;
  /** The sender that a fair queue counts the message for. */
  readonly MessageGroupId?: string;
}

/** Resolves when the queue has the message, and rejects when that is not certain. */
export type SendMessage = (queueUrl: string, message: Message) => Promise<void>;

/** An answer of SQS that is not a success. Its name is what a log line shows of it. */
class SqsAnswered extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`SQS answered ${status}`);
    this.name = `SqsAnswered${status}`;
    this.status = status;
  }
}

/**
 * Sends messages to SQS queues, at most two tries within 2 s: a second copy of a message does no harm. It signs and
 * connects with what DynamoDB's client has anyway: SQS's own client would add 27 KB to every start of functions that
 * seldom send (docs/decisions.md).
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
export function createSendMessage({ config }: Pick<DynamoDBClient, 'config'>): SendMessage {
  const { region, credentials, sha256, requestHandler } = config;
  const signer = new SignatureV4({ service: 'sqs', region, credentials, sha256 });

  const attempt = async (queueUrl: string, body: string, abortSignal: AbortSignal): Promise<void> => {
    const { protocol, host, hostname, port } = new URL(queueUrl);
    const request = new HttpRequest({
      method: 'POST',
      protocol,
      hostname,
      ...(port !== '' && { port: Number(port) }),
      headers: {
        host,
        'content-type': 'application/x-amz-json-1.0',
        'content-length': String(Buffer.byteLength(body)),
        'x-amz-target': 'AmazonSQS.SendMessage',
      },
      body,
    });
    const { response } = await requestHandler.handle(new HttpRequest(await signer.sign(request)), { abortSignal });
    response.body.resume(); // Frees the connection.
    if (response.statusCode !== 200) throw new SqsAnswered(response.statusCode);
  };

  return async (queueUrl, message) => {
    const body = JSON.stringify({ QueueUrl: queueUrl, ...message });
    const abortSignal = AbortSignal.timeout(DEADLINE_MS);
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt(queueUrl, body, abortSignal);
      } catch (error) {
        const isFinal = error instanceof SqsAnswered && error.status < 500 && error.status !== 429;
        if (isFinal || tries === TRIES || abortSignal.aborted) throw error;
      }
    }
  };
}
