import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { localArn } from '../loopback.ts';
import { damaged, stateFile } from '../store/state-file.ts';

/** A key pair of the run. Its private half leaves this process only for the state file, which only the owner may read. */
export interface SigningKey {
  readonly id: string;
  readonly arn: string;
  readonly description: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** `alias/audit` → a key's id. */
export interface Alias {
  readonly name: string;
  readonly keyId: string;
}

export interface SigningKeys {
  create(description: string): SigningKey;
  /** @param named a key's id or ARN, or an alias or its ARN */
  find(named: string): SigningKey | undefined;
  aliases(): readonly Alias[];
  /** Adds the alias, or moves it. */
  pointAlias(name: string, key: SigningKey): void;
}

const stateSchema = z.object({
  keys: z.array(z.object({ id: z.string(), description: z.string(), createdAt: z.number(), privateKey: z.string() })),
  aliases: z.array(z.object({ name: z.string(), keyId: z.string() })),
});
type State = z.infer<typeof stateSchema>;

/**
 * The keys of the local KMS, on curve P-256.
 * @param statePath a JSON file that keeps them over restarts; without it they are in memory
 * @throws DataFolderError when the file has other content
 */
export function openSigningKeys(statePath: string | undefined): SigningKeys {
  const file = stateFile(statePath, stateSchema);
  const saved: State = file.read() ?? { keys: [], aliases: [] };
  const keys = saved.keys.map((key) => restore(key, statePath));
  const aliases = new Map(saved.aliases.map((alias) => [alias.name, alias]));

  const save = (): void =>
    file.write({
      keys: keys.map(({ id, description, createdAt, privateKey }) => ({
        id,
        description,
        createdAt,
        privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      })),
      aliases: [...aliases.values()],
    });

  return {
    create(description) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const key = keyOf({ id: randomUUID(), description, createdAt: Date.now() / 1_000 }, privateKey);
      keys.push(key);
      save();
      return key;
    },
    find(named) {
      const alias = aliases.get(named) ?? [...aliases.values()].find(({ name }) => localArn('kms', name) === named);
      return keys.find(({ id, arn }) => id === (alias?.keyId ?? named) || arn === named);
    },
    aliases: () => [...aliases.values()],
    pointAlias(name, { id }) {
      aliases.set(name, { name, keyId: id });
      save();
    },
  };
}

function restore({ privateKey, ...facts }: State['keys'][number], statePath = ''): SigningKey {
  try {
    return keyOf(facts, createPrivateKey(privateKey));
  } catch (cause) {
    throw damaged(statePath, 'a key in it cannot be read', { cause });
  }
}

function keyOf(facts: Pick<SigningKey, 'id' | 'description' | 'createdAt'>, privateKey: KeyObject): SigningKey {
  return {
    ...facts,
    arn: localArn('kms', `key/${facts.id}`),
    privateKey,
    publicKey: createPublicKey(privateKey),
  };
}
