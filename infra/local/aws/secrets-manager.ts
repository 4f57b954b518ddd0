import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { type AccessKey, createAccessKey } from './access-keys.ts';
import {
  type AwsJsonEndpoint,
  type Caller,
  parseInput,
  ServiceError,
  startAwsJsonEndpoint,
} from './aws-json-endpoint.ts';
import { localArn } from './loopback.ts';

export interface LocalSecretsManager extends AwsJsonEndpoint {
  /** Its holder may call. */
  readonly accessKey: AccessKey;
  /**
   * Gives a secret its next version. `secretId` is a name or an ARN; an unknown one becomes a new secret.
   * @param createdMs since 1970. @default now
   */
  put(secretId: string, value: string, createdMs?: number): void;
}

/** A caller that may do what its role says. */
export interface SecretCaller {
  readonly accessKey: AccessKey;
  /** @param action `secretsmanager:GetSecretValue` */
  readonly mayCall: (call: { readonly action: string; readonly secretName: string }) => boolean;
}

interface Version {
  readonly id: string;
  readonly value: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
}
interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly versions: Version[];
  /** The version with each staging label. */
  readonly stages: Partial<Record<Stage, Version>>;
}
const stageNames = ['AWSCURRENT', 'AWSPREVIOUS'] as const;
type Stage = (typeof stageNames)[number];

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
const moveInput = z.object({
  SecretId: z.string(),
  VersionStage: z.literal('AWSCURRENT'),
  MoveToVersionId: z.string(),
  RemoveFromVersionId: z.optional(z.string()),
});

/** Secrets Manager appends six random characters. Here they are fixed, so that an ARN stays valid after a restart. */
const arnSuffix = '-LoCaL1';

/**
 * Secrets Manager's `GetSecretValue`, `PutSecretValue`, and `UpdateSecretVersionStage` for AWSCURRENT, on 127.0.0.1. Versions are
 * in memory, and no stages but AWSCURRENT and AWSPREVIOUS exist.
 * @param secrets values by name
 * @param accessKey whose holder may call everything. By default a new one.
 * @param callers others that may call
 */
export async function startSecretsManager({
  secrets,
  accessKey = createAccessKey(),
  callers = [],
}: {
  readonly secrets: Readonly<Record<string, string>>;
  readonly accessKey?: AccessKey;
  readonly callers?: readonly SecretCaller[];
}): Promise<LocalSecretsManager> {
  const known: Secret[] = [];

  const find = (secretId: string): Secret | undefined =>
    known.find(({ name, arn }) => [name, arn, arn.slice(0, -arnSuffix.length)].includes(secretId));
  /** The secret, if it is there and the caller may do this with it. */
  const secretFor = (action: string, secretId: string, { accessKeyId }: Caller): Secret => {
    const secret = find(secretId);
    if (secret === undefined) {
      throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    const role = callers.find((one) => one.accessKey.accessKeyId === accessKeyId);
    if (role?.mayCall({ action, secretName: secret.name }) !== false) return secret;
    throw new ServiceError('AccessDeniedException', `The role does not allow ${action} on ${secret.name}.`);
  };
  const put = (secretId: string, value: string, createdMs?: number): void => {
    let secret = find(secretId);
    if (secret === undefined) known.push((secret = createSecret(secretId)));
    addVersion(secret, value, randomUUID(), createdMs);
  };
  for (const [name, value] of Object.entries(secrets)) put(name, value);

  const endpoint = await startAwsJsonEndpoint({
    service: 'secretsmanager',
    keys: [accessKey, ...callers.map((caller) => caller.accessKey)],
    actions: {
      GetSecretValue(input, caller) {
        const { SecretId, VersionId, VersionStage } = parseInput(getInput, input);
        const secret = secretFor('secretsmanager:GetSecretValue', SecretId, caller);
        const version = findVersion(secret, VersionId, VersionStage);
        if (version !== undefined) {
          return { ...describe(secret, version), SecretString: version.value, CreatedDate: version.createdAt };
        }
        throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret value.");
      },
      PutSecretValue(input, caller) {
        const { SecretId, SecretString, ClientRequestToken } = parseInput(putInput, input);
        const secret = secretFor('secretsmanager:PutSecretValue', SecretId, caller);
        return describe(secret, addVersion(secret, SecretString, ClientRequestToken));
      },
      UpdateSecretVersionStage(input, caller) {
        const { SecretId, MoveToVersionId, RemoveFromVersionId } = parseInput(moveInput, input);
        const secret = secretFor('secretsmanager:UpdateSecretVersionStage', SecretId, caller);
        const version = findVersion(secret, MoveToVersionId, undefined);
        if (version === undefined)
          throw new ServiceError('ResourceNotFoundException', 'The secret does not have this version.');
        // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
        const current = secret.stages.AWSCURRENT;
        if (current !== version && current?.id !== RemoveFromVersionId) {
          throw new ServiceError('InvalidParameterException', 'RemoveFromVersionId must have AWSCURRENT.');
        }
        makeCurrent(secret, version);
        return { ARN: secret.arn, Name: secret.name };
      },
    },
  });
  return { ...endpoint, accessKey, put };
}

function createSecret(name: string): Secret {
  return { name, arn: localArn('secretsmanager', `secret:${name}${arnSuffix}`), versions: [], stages: {} };
}

/** @throws ServiceError when the id belongs to a version with another value */
function addVersion(secret: Secret, value: string, id: string = randomUUID(), createdMs = Date.now()): Version {
  const same = secret.versions.find((version) => version.id === id);
  if (same !== undefined && same.value !== value) {
    throw new ServiceError('ResourceExistsException', 'A version with another value has that ClientRequestToken.');
  }
  const version = same ?? { id, value, createdAt: createdMs / 1_000 };
  if (same === undefined) {
    secret.versions.push(version);
    makeCurrent(secret, version);
  }
  return version;
}

/** AWSPREVIOUS goes to the version that AWSCURRENT leaves. */
function makeCurrent({ stages }: Secret, version: Version): void {
  if (stages.AWSCURRENT === version) return;
  stages.AWSPREVIOUS = stages.AWSCURRENT;
  stages.AWSCURRENT = version;
}

function findVersion(secret: Secret, id: string | undefined, wishedStage: string | undefined): Version | undefined {
  const stage = wishedStage ?? (id === undefined ? 'AWSCURRENT' : undefined);
  return secret.versions.find(
    (version) =>
      (id === undefined || version.id === id) && (stage === undefined || stagesOf(secret, version).includes(stage)),
  );
}

function stagesOf({ stages }: Secret, version: Version): string[] {
  return stageNames.filter((stage) => stages[stage] === version);
}

function describe(secret: Secret, version: Version) {
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    VersionStages: stagesOf(secret, version),
  };
}
