import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import * as z from 'zod/mini';
import { listenOnLoopback } from './listen-on-loopback.ts';
import { validate } from './plangrep/validate.ts';

export interface SecretsManagerOptions {
  /** Default: any free one. */
  readonly port?: number;
  /** Secret values by name. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface LocalSecretsManager {
  /** For `AWS_ENDPOINT_URL_SECRETS_MANAGER` or `aws --endpoint-url`. */
  readonly url: string;
  /** Gives a secret, known by name or ARN or new, its next version. */
  put(secretId: string, value: string): void;
  /** Calls received, by action. */
  readonly requests: Readonly<Record<string, number>>;
  /** Answers the next `times` calls with InternalServiceError (500); 0 ends that. */
  fail(times: number): void;
  close(): Promise<void>;
}

interface Version {
  readonly id: string;
  readonly value: string;
  readonly createdAt: number;
}
interface Secret {
  readonly arn: string;
  readonly name: string;
  /** Newest last: the last is AWSCURRENT, the one before it AWSPREVIOUS. */
  readonly versions: Version[];
}

/** An error answer in the form of AWS JSON 1.1. */
class ServiceError extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

const getInput = z.object({
  SecretId: z.string(),
  VersionId: z.optional(z.string()),
  VersionStage: z.optional(z.string()),
});
const putInput = z.object({
  SecretId: z.string(),
  SecretString: z.string(),
  ClientRequestToken: z.optional(z.string()),
});

const createSecret = (name: string): Secret => ({
  name,
  // Secrets Manager appends six random characters; fixed here, so that an ARN outlives a restart.
  arn: `arn:aws:secretsmanager:us-east-1:000000000000:secret:${name}-LoCaL1`,
  versions: [],
});

const stagesOf = ({ versions }: Secret, version: Version): string[] => {
  if (version === versions.at(-1)) return ['AWSCURRENT'];
  return version === versions.at(-2) ? ['AWSPREVIOUS'] : [];
};

/**
 * AWS Secrets Manager's `GetSecretValue` and `PutSecretValue` (AWS JSON 1.1) on 127.0.0.1, close enough for the SDK and
 * the AWS CLI. Signatures are not checked, versions live in memory, staging labels move by themselves.
 */
export const startSecretsManager = async ({
  port = 0,
  secrets,
}: SecretsManagerOptions): Promise<LocalSecretsManager> => {
  const known: Secret[] = [];
  const requests: Record<string, number> = {};
  let failures = 0;

  const find = (secretId: string): Secret | undefined =>
    known.find(
      ({ name, arn }) => secretId === name || secretId === arn || secretId === arn.slice(0, -'-LoCaL1'.length),
    );
  const required = (secretId: string): Secret => {
    const secret = find(secretId);
    if (secret) return secret;
    throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  };
  const addVersion = (secret: Secret, value: string, id: string = randomUUID()): Version => {
    const same = secret.versions.find((version) => version.id === id);
    if (same && same.value !== value) {
      throw new ServiceError('ResourceExistsException', 'A version of another value has that ClientRequestToken.');
    }
    const version = same ?? { id, value, createdAt: Date.now() / 1_000 };
    if (!same) secret.versions.push(version);
    return version;
  };
  const put = (secretId: string, value: string): void => {
    let secret = find(secretId);
    if (!secret) known.push((secret = createSecret(secretId)));
    addVersion(secret, value);
  };
  for (const [name, value] of Object.entries(secrets)) put(name, value);

  const actions: Record<string, (input: unknown) => object> = {
    GetSecretValue(input) {
      const { SecretId, VersionId, VersionStage } = parse(getInput, input);
      const secret = required(SecretId);
      const stage = VersionStage ?? (VersionId === undefined ? 'AWSCURRENT' : undefined);
      const version = secret.versions.find(
        (candidate) =>
          (VersionId === undefined || candidate.id === VersionId) &&
          (stage === undefined || stagesOf(secret, candidate).includes(stage)),
      );
      if (!version) {
        throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret value.");
      }
      return { ...describe(secret, version), SecretString: version.value, CreatedDate: version.createdAt };
    },
    PutSecretValue(input) {
      const { SecretId, SecretString, ClientRequestToken } = parse(putInput, input);
      const secret = required(SecretId);
      return describe(secret, addVersion(secret, SecretString, ClientRequestToken));
    },
  };

  const answer = async (request: IncomingMessage): Promise<object> => {
    const action = /^secretsmanager\.(\w+)$/.exec(String(request.headers['x-amz-target']))?.[1] ?? 'none';
    requests[action] = (requests[action] ?? 0) + 1;
    const body = Buffer.concat(await request.toArray()).toString();
    if (failures > 0) {
      failures -= 1;
      throw new ServiceError('InternalServiceError', 'Told to fail.', 500);
    }
    const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (!act) {
      const offered = Object.keys(actions).join(' and ');
      throw new ServiceError('UnknownOperationException', `Only ${offered} exist here, not ${action}.`);
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
    put,
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

const describe = (secret: Secret, version: Version) => ({
  ARN: secret.arn,
  Name: secret.name,
  VersionId: version.id,
  VersionStages: stagesOf(secret, version),
});

const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    throw new ServiceError('SerializationException', 'The body is no JSON.');
  }
};

const parse = <Output>(schema: z.ZodMiniType<Output>, input: unknown): Output => {
  const validated = validate(schema, input);
  if (!validated.valid) throw new ServiceError('InvalidParameterException', validated.message);
  return validated.value;
};

const internalError = (error: unknown): ServiceError => new ServiceError('InternalServiceError', String(error), 500);
