import type { Readable } from 'node:stream';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';

/** For both tries together. The services that are called so answer in milliseconds. */
const DEADLINE_MS = 2_000;

/** An answer that is not a success. Its name is what a log line shows of it. */
class AwsAnswered extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`AWS answered ${status}`);
    this.name = `AwsAnswered${status}`;
    this.status = status;
  }
}

/** An operation whose repeat does no harm, of a service with one of AWS's JSON protocols. */
export type AwsOperation = readonly [service: string, target: string, protocol: '1.0' | '1.1'];

/**
 * @returns the body of a success. It has the rest of the 2 s, and the caller reads or discards it, so that the connection is
 * free again.
 */
export type AwsCall = (url: string, input: object) => Promise<Readable>;

/**
 * Calls an operation of AWS, at most two tries within 2 s. It signs and connects with what DynamoDB's client has anyway: a
 * service's own client would add 27 KB to every start of functions that seldom need it (docs/decisions.md).
 * @returns a function that rejects when it is not certain that the call had its effect
 */
export function createAwsCall(
  { config }: Pick<DynamoDBClient, 'config'>,
  [service, target, protocolVersion]: AwsOperation,
): AwsCall {
  const { region, credentials, sha256, requestHandler } = config;
  const signer = new SignatureV4({ service, region, credentials, sha256 });

  return async (url, input) => {
    const { protocol, host, hostname, port } = new URL(url);
    const body = JSON.stringify(input);
    const request = new HttpRequest({
      method: 'POST',
      protocol,
      hostname,
      port: Number(port), // 0 is the protocol's own.
      headers: {
        host,
        'content-type': `application/x-amz-json-${protocolVersion}`,
        'content-length': String(Buffer.byteLength(body)),
        'x-amz-target': target,
      },
      body,
    });
    const abortSignal = AbortSignal.timeout(DEADLINE_MS);
    const attempt = async (): Promise<Readable> => {
      const { response } = await requestHandler.handle(await signer.sign(request), { abortSignal });
      if (response.statusCode === 200) return response.body;
      response.body.resume(); // Frees the connection.
      throw new AwsAnswered(response.statusCode);
    };
    try {
      return await attempt();
    } catch (error) {
      const isFinal = error instanceof AwsAnswered && error.status < 500 && error.status !== 429;
      if (isFinal || abortSignal.aborted) throw error;
      return attempt();
    }
  };
}
