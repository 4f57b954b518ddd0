import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type * as z from 'zod/mini';
import { listenOnLoopback } from './listen-on-loopback.ts';
import { validate } from './validate.ts';

/** An error answer in the form of AWS JSON 1.1. */
export class ServiceError extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export interface AwsJsonEndpointOptions {
  /** Default: any free one. */
  readonly port?: number | undefined;
  /** What `X-Amz-Target` begins with: `secretsmanager`, `AWSEvents`. */
  readonly service: string;
  /** What each action does; it throws a {@link ServiceError} for what it refuses. */
  readonly actions: Readonly<Record<string, (input: unknown) => object>>;
}

export interface AwsJsonEndpoint {
  /** For `AWS_ENDPOINT_URL_…` or `aws --endpoint-url`. */
  readonly url: string;
  /** Calls received, by action. */
  readonly requests: Readonly<Record<string, number>>;
  /** Answers the next `times` calls with an internal error (500); 0 ends that. */
  fail(times: number): void;
  close(): Promise<void>;
}

/**
 * An AWS service that speaks AWS JSON 1.1, on 127.0.0.1, close enough for the SDK and the AWS CLI. Signatures are not
 * checked.
 * @see https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
export const startAwsJsonEndpoint = async ({
  port = 0,
  service,
  actions,
}: AwsJsonEndpointOptions): Promise<AwsJsonEndpoint> => {
  const requests: Record<string, number> = {};
  let failures = 0;

  const answer = async (request: IncomingMessage): Promise<object> => {
    const [target, action = 'none'] = String(request.headers['x-amz-target']).split('.');
    requests[action] = (requests[action] ?? 0) + 1;
    const body = Buffer.concat(await request.toArray()).toString();
    if (failures > 0) {
      failures -= 1;
      throw new ServiceError('InternalServiceError', 'Told to fail.', 500);
    }
    const act = target === service && Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (!act) {
      const offered = Object.keys(actions).join(' and ');
      throw new ServiceError('UnknownOperationException', `Here is only ${service} with ${offered}, not ${action}.`);
    }
    return act(parseJson(body));
  };

  const server = createServer((request, response) => {
    const reply = (status: number, body: object): void => {
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1', 'x-amzn-RequestId': randomUUID() });
      response.end(JSON.stringify(body));
    };
    answer(request).then(
      (body) => reply(200, body),
      (error: unknown) => {
        const { type, status, message } = error instanceof ServiceError ? error : internalError(error);
        reply(status, { __type: type, message });
      },
    );
  });
  const listening = await listenOnLoopback(server, port);
  return {
    url: `http://127.0.0.1:${listening}`,
    requests,
    fail(times) {
      failures = times;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** An action's input, checked. @throws ServiceError that says what is wrong */
export const parseInput = <Output>(
  schema: z.ZodMiniType<Output>,
  input: unknown,
  type = 'InvalidParameterException',
): Output => {
  const validated = validate(schema, input);
  if (!validated.valid) throw new ServiceError(type, validated.message);
  return validated.value;
};

const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    throw new ServiceError('SerializationException', 'The body is no JSON.');
  }
};

const internalError = (error: unknown): ServiceError => new ServiceError('InternalServiceError', String(error), 500);
