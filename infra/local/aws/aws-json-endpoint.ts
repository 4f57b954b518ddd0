import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type * as z from 'zod/mini';
import { type AccessKey, findSigner, type SigningStyle } from './access-keys.ts';
import { checkSource, type Listening, readBody, serveOnLoopback, validate } from './loopback.ts';

/** An error answer of an AWS JSON service. */
export class ServiceError extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export interface Caller {
  readonly accessKeyId: string;
}

export interface AwsJsonEndpointOptions {
  /** The service's name in `X-Amz-Target`: `secretsmanager`, `AWSEvents`. */
  readonly service: string;
  /** Those that may call. */
  readonly keys: readonly AccessKey[];
  /** The action by its name. An action throws a {@link ServiceError} to reject its input. */
  readonly actions: Readonly<Record<string, (input: unknown, caller: Caller) => object>>;
}

/** The `url` is for `AWS_ENDPOINT_URL_…` or `aws --endpoint-url`. */
export interface AwsJsonEndpoint extends Listening {
  /** Calls received, by action. */
  readonly requests: Readonly<Record<string, number>>;
  /** Answers the next `times` calls with an internal error (500). 0 stops that. */
  fail(times: number): void;
}

/** As dynalite; no service takes more. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Admits a request to an AWS service: not from a web page, and signed with one of the keys.
 * @returns its body, and who signed it
 * @throws ServiceError for any other
 */
export async function admit(
  keys: readonly AccessKey[],
  request: IncomingMessage,
  style: SigningStyle = 'others',
): Promise<Caller & { readonly body: Buffer }> {
  const source = checkSource(request);
  if (source.kind === 'foreign') throw new ServiceError('AccessDeniedException', source.why, 403);
  const read = await readBody(request, MAX_BODY_BYTES);
  if (read.kind !== 'read') throw new ServiceError('SerializationException', 'The body is too large, or not whole.');
  const { method = '', url = '/', headers } = request;
  const signer = await findSigner(keys, { method, url, headers, body: read.bytes }, style);
  if (signer.kind === 'unknown') throw new ServiceError(signer.type, signer.message);
  return { accessKeyId: signer.accessKeyId, body: read.bytes };
}

/**
 * An AWS service with the AWS JSON protocol on 127.0.0.1, exact enough for the SDK and the AWS CLI.
 * @see https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
export async function startAwsJsonEndpoint({
  service,
  keys,
  actions,
}: AwsJsonEndpointOptions): Promise<AwsJsonEndpoint> {
  const requests: Record<string, number> = {};
  let failures = 0;

  const answer = async (request: IncomingMessage): Promise<object> => {
    const { body, ...caller } = await admit(keys, request);
    const [target, action = 'none'] = String(request.headers['x-amz-target']).split('.');
    requests[action] = (requests[action] ?? 0) + 1;
    if (failures > 0) {
      failures -= 1;
      throw new ServiceError('InternalServiceError', 'A test asked for this failure.', 500);
    }
    const act = target === service && Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (act !== undefined) return act(parseJson(body.toString()), caller);
    const offered = Object.keys(actions).join(' and ');
    throw new ServiceError('UnknownOperationException', `This is ${service} with only ${offered}, not ${action}.`);
  };

  const server = createServer((request, response) => {
    const reply = (status: number, body: object): void => {
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1', 'x-amzn-RequestId': randomUUID() });
      response.end(JSON.stringify(body));
    };
    answer(request).then(
      (body) => reply(200, body),
      (error: unknown) => {
        const { status, ...body } = describeError(error);
        reply(status, body);
      },
    );
  });
  const listening = await serveOnLoopback(server);
  return {
    ...listening,
    requests,
    fail(times) {
      failures = times;
    },
  };
}

/** An error as an AWS JSON service answers it; one that is not a {@link ServiceError} is internal. */
export function describeError(error: unknown): { status: number; __type: string; message: string } {
  const internal = new ServiceError('InternalServiceError', String(error), 500);
  const { type, status, message } = error instanceof ServiceError ? error : internal;
  return { status, __type: type, message };
}

/** An action's input, checked. @throws ServiceError that says what is wrong with it */
export function parseInput<Output>(
  schema: z.ZodMiniType<Output>,
  input: unknown,
  errorType = 'InvalidParameterException',
): Output {
  const validated = validate(schema, input);
  if (!validated.valid) throw new ServiceError(errorType, validated.message);
  return validated.value;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ServiceError('SerializationException', 'The body is not JSON.');
  }
}
