import { sign, verify } from 'node:crypto';
import * as z from 'zod/mini';
import { type AccessKey, createAccessKey } from '../access-keys.ts';
import {
  type AwsJsonEndpoint,
  type Caller,
  parseInput,
  ServiceError,
  startAwsJsonEndpoint,
} from '../aws-json-endpoint.ts';
import { localAccount, localArn } from '../loopback.ts';
import { signDigest, verifyDigest } from './sign-digest.ts';
import { openSigningKeys, type SigningKey } from './signing-keys.ts';

/** A call in the words of a key policy. */
export interface KmsCall {
  /** `kms:Sign`. */
  readonly action: string;
  /** The key's ARN; `*` for an action that names no key. */
  readonly keyArn: string;
  /** The aliases of the key, for a policy's condition `kms:ResourceAliases`. */
  readonly aliases: readonly string[];
}

/** A caller that may do what its role and the key's policy say. */
export interface KmsCaller {
  readonly accessKey: AccessKey;
  readonly mayCall: (call: KmsCall) => boolean;
}

export interface LocalKmsOptions {
  /** Whose holder may call everything. @default a new one */
  readonly accessKey?: AccessKey | undefined;
  /** Others that may call. @default none */
  readonly callers?: readonly KmsCaller[] | undefined;
  /** Aliases (`alias/audit`) that have a key from the start; one that a run before has made stays as it is. @default none */
  readonly aliases?: readonly string[] | undefined;
  /** A JSON file that keeps the keys over restarts. @default in memory */
  readonly statePath?: string | undefined;
}

export interface LocalKms extends AwsJsonEndpoint {
  /** Its holder may call everything. */
  readonly accessKey: AccessKey;
}

const ALGORITHM = 'ECDSA_SHA_256';
const KEY_SPEC = 'ECC_NIST_P256';

/** As KMS: at most 4,096 bytes; what is longer is signed by its digest. */
const message = z.base64().check(z.minLength(1), z.maxLength(5_464));
const messageType = z.optional(z.enum(['RAW', 'DIGEST']));
const aliasName = z.string().check(z.regex(/^alias\/[\w/-]{1,250}$/));
const keyInput = z.strictObject({ KeyId: z.string() });
const signInput = z.strictObject({
  KeyId: z.string(),
  Message: message,
  MessageType: messageType,
  SigningAlgorithm: z.string(),
});
const verifyInput = z.strictObject({ ...signInput.shape, Signature: z.base64().check(z.maxLength(8_192)) });
const createInput = z.strictObject({
  KeySpec: z.literal(KEY_SPEC),
  KeyUsage: z.literal('SIGN_VERIFY'),
  Description: z.optional(z.string().check(z.maxLength(8_192))),
});
const aliasInput = z.strictObject({ AliasName: aliasName, TargetKeyId: z.string() });
const listInput = z.strictObject({ KeyId: z.optional(z.string()), Limit: z.optional(z.int()) });

/**
 * KMS on 127.0.0.1, as far as signing goes: keys on curve P-256 that the run makes, and aliases for them. A key is rotated as AWS
 * says for asymmetric ones: a new key, and the alias moved to it. The old key stays, so that what it has signed can be verified.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys-manually.html
 * @throws DataFolderError when `statePath` has other content
 */
export async function startLocalKms({
  accessKey = createAccessKey(),
  callers = [],
  aliases = [],
  statePath,
}: LocalKmsOptions = {}): Promise<LocalKms> {
  const keys = openSigningKeys(statePath);
  for (const name of aliases) if (keys.find(name) === undefined) keys.pointAlias(name, keys.create(''));

  const aliasesOf = ({ id }: SigningKey) => keys.aliases().filter(({ keyId }) => keyId === id);
  const allow = (action: string, { accessKeyId }: Caller, key?: SigningKey): void => {
    const caller = callers.find((one) => one.accessKey.accessKeyId === accessKeyId);
    const names = key === undefined ? [] : aliasesOf(key).map(({ name }) => name);
    if (caller?.mayCall({ action, keyArn: key?.arn ?? '*', aliases: names }) === false) {
      throw new ServiceError('AccessDeniedException', `The role does not allow ${action} on ${key?.arn ?? '*'}.`);
    }
  };
  /** The key, if the caller may do this with it. */
  const keyFor = (action: string, named: string, caller: Caller): SigningKey => {
    const key = keys.find(named);
    if (key === undefined) throw new ServiceError('NotFoundException', `No key or alias ${named} exists here.`);
    allow(action, caller, key);
    return key;
  };

  const endpoint = await startAwsJsonEndpoint({
    service: 'TrentService',
    keys: [accessKey, ...callers.map((caller) => caller.accessKey)],
    actions: {
      CreateKey(input, caller) {
        const { Description = '' } = parse(createInput, input);
        allow('kms:CreateKey', caller);
        return { KeyMetadata: describe(keys.create(Description)) };
      },
      DescribeKey(input, caller) {
        return { KeyMetadata: describe(keyFor('kms:DescribeKey', parse(keyInput, input).KeyId, caller)) };
      },
      GetPublicKey(input, caller) {
        const key = keyFor('kms:GetPublicKey', parse(keyInput, input).KeyId, caller);
        const PublicKey = key.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
        const { KeySpec, KeyUsage, SigningAlgorithms } = describe(key);
        return { KeyId: key.arn, PublicKey, KeySpec, CustomerMasterKeySpec: KeySpec, KeyUsage, SigningAlgorithms };
      },
      Sign(input, caller) {
        const { KeyId, ...asked } = parse(signInput, input);
        const key = keyFor('kms:Sign', KeyId, caller);
        const { bytes, isDigest } = messageOf(asked);
        const signature = isDigest ? signDigest(bytes, key.privateKey) : sign('sha256', bytes, key.privateKey);
        return { KeyId: key.arn, Signature: signature.toString('base64'), SigningAlgorithm: ALGORITHM };
      },
      Verify(input, caller) {
        const { KeyId, Signature, ...asked } = parse(verifyInput, input);
        const key = keyFor('kms:Verify', KeyId, caller);
        const { bytes, isDigest } = messageOf(asked);
        const signature = Buffer.from(Signature, 'base64');
        const isValid = isDigest
          ? verifyDigest(bytes, signature, key.publicKey)
          : verify('sha256', bytes, key.publicKey, signature);
        if (isValid) return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: ALGORITHM };
        // As KMS: a signature that is not valid is an error, never `SignatureValid: false`.
        throw new ServiceError('KMSInvalidSignatureException', 'The signature is not of this key and message.');
      },
      CreateAlias(input, caller) {
        const { AliasName, TargetKeyId } = parse(aliasInput, input);
        const key = keyFor('kms:CreateAlias', TargetKeyId, caller);
        if (keys.find(AliasName) !== undefined) {
          throw new ServiceError('AlreadyExistsException', `The alias ${AliasName} already exists.`);
        }
        keys.pointAlias(AliasName, key);
        return {};
      },
      UpdateAlias(input, caller) {
        const { AliasName, TargetKeyId } = parse(aliasInput, input);
        keyFor('kms:UpdateAlias', AliasName, caller);
        keys.pointAlias(AliasName, keyFor('kms:UpdateAlias', TargetKeyId, caller));
        return {};
      },
      ListAliases(input, caller) {
        const { KeyId } = parse(listInput, input);
        allow('kms:ListAliases', caller);
        const shown = KeyId === undefined ? keys.aliases() : aliasesOf(keyFor('kms:ListAliases', KeyId, caller));
        const Aliases = shown.map(({ name, keyId }) => ({
          AliasName: name,
          AliasArn: localArn('kms', name),
          TargetKeyId: keyId,
        }));
        return { Aliases, Truncated: false };
      },
    },
  });
  return { ...endpoint, accessKey };
}

function parse<Output>(schema: z.ZodMiniType<Output>, input: unknown): Output {
  return parseInput(schema, input, 'ValidationException');
}

/** @throws ServiceError for what the key cannot sign */
function messageOf({
  Message,
  MessageType,
  SigningAlgorithm,
}: Pick<z.infer<typeof signInput>, 'Message' | 'MessageType' | 'SigningAlgorithm'>) {
  if (SigningAlgorithm !== ALGORITHM) {
    throw new ServiceError('InvalidKeyUsageException', `A ${KEY_SPEC} key signs only with ${ALGORITHM}.`);
  }
  const bytes = Buffer.from(Message, 'base64');
  const isDigest = MessageType === 'DIGEST';
  if (bytes.length > 4_096) throw new ServiceError('ValidationException', 'A message has at most 4,096 bytes.');
  if (!isDigest || bytes.length === 32) return { bytes, isDigest };
  throw new ServiceError('ValidationException', `Digest is invalid length for algorithm ${ALGORITHM}.`);
}

function describe({ id, arn, description, createdAt }: SigningKey) {
  return {
    AWSAccountId: localAccount,
    KeyId: id,
    Arn: arn,
    CreationDate: createdAt,
    Description: description,
    Enabled: true,
    KeyState: 'Enabled',
    KeyUsage: 'SIGN_VERIFY',
    KeyManager: 'CUSTOMER',
    Origin: 'AWS_KMS',
    KeySpec: KEY_SPEC,
    CustomerMasterKeySpec: KEY_SPEC,
    SigningAlgorithms: [ALGORITHM],
    MultiRegion: false,
  };
}
