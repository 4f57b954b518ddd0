import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { keyInSecret } from '../../functions/adapters/plangrep/plangrep-key.ts';
import { CannotDo } from './cannot-do.ts';
import type { Command } from './command.ts';

export const putPlangrepKey: Command = {
  name: 'plangrep-key put',
  summary: "Puts the organization's Plangrep API key into Secrets Manager.",
  notes: `The key comes from stdin or is typed without an echo, never from an argument: those end up in histories. Plain
text, or {"apiKey": "…"}. Within 60 seconds the service uses it; the key before it stays as AWSPREVIOUS.`,
  async run({ place, terminal }) {
    await terminal.confirm(`Put a new Plangrep key in the place of the present one (${place.environment})?`);
    const value = await terminal.readSecret('Plangrep API key (not shown): ');
    if (keyInSecret(value) === undefined) {
      throw new CannotDo(2, 'That is neither a plain API key nor {"apiKey": "…"}: nothing was done.');
    }
    const SecretId = await place.secretId();
    const put = new PutSecretValueCommand({ SecretId, SecretString: value });
    const { VersionId } = await place.secretsManager.send(put).catch((error: unknown) => {
      // Secrets Manager may quote what it refuses, and so the key: only the error's name goes on.
      if (error instanceof Error && error.name === 'ValidationException') {
        throw new CannotDo(1, `Secrets Manager refused the value (${place.where}): ValidationException.`);
      }
      throw error;
    });
    terminal.show({ secretId: SecretId, versionId: VersionId }, [
      `The key is in ${SecretId} (${place.environment}): within 60 s the service uses it.`,
    ]);
    return 0;
  },
};
