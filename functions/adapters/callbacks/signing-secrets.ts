import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { deriveSecret } from '../../core/callbacks/callback-secret.ts';
import type { CallbackPorts } from '../../core/callbacks/ports.ts';
import { DependencyUnavailable } from '../../core/report.ts';

/** Shorter than what CDK generates: a master that a person typed is refused. */
const SHORTEST_MASTER = 32;

/**
 * The partners' signing secrets, derived from one master that Secrets Manager keeps. The master is never changed (every
 * partner's secret would change with it), so it is fetched once.
 * @param secretId the master's name or ARN
 */
export function createSigningSecrets(client: SecretsManagerClient, secretId: string): CallbackPorts['secretOf'] {
  let fetched: Promise<string> | undefined;

  async function fetchMaster(): Promise<string> {
    try {
      const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
      if (SecretString.length >= SHORTEST_MASTER) return SecretString;
    } catch (error) {
      // An SDK error may quote the answer that it could not read, and so the secret: only its name is passed on.
      throw new DependencyUnavailable(
        'callback-secret',
        new Error(error instanceof Error ? error.name : 'unnamed error'),
      );
    }
    throw new DependencyUnavailable('callback-secret', new Error('the master is too short'));
  }

  return async (partnerId, version) => {
    fetched ??= fetchMaster().catch((error: unknown) => {
      fetched = undefined;
      throw error;
    });
    return deriveSecret(await fetched, partnerId, version);
  };
}
