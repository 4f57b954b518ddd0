import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { type AwsJsonEndpoint, parseInput, ServiceError, startAwsJsonEndpoint } from './aws-json-endpoint.ts';

export interface SecretsManagerOptions {
  /** Default: any free one. */
  readonly port?: number;
  /** Secret values by name. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface LocalSecretsManager extends AwsJsonEndpoint {
  /** Gives a secret, known by name or ARN or new, its next version. */
  put(secretId: string, value: string): void;
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
      const { SecretId, VersionId, VersionStage } = parseInput(getInput, input);
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
      const { SecretId, SecretString, ClientRequestToken } = parseInput(putInput, input);
      const secret = required(SecretId);
      return describe(secret, addVersion(secret, SecretString, ClientRequestToken));
    },
  };

  const endpoint = await startAwsJsonEndpoint({ port, service: 'secretsmanager', actions });
  return { ...endpoint, put };
};

const describe = (secret: Secret, version: Version) => ({
  ARN: secret.arn,
  Name: secret.name,
  VersionId: version.id,
  VersionStages: stagesOf(secret, version),
});
