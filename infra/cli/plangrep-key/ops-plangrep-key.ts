import {
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { keyInSecret, keyRule } from '../../../functions/adapters/plangrep/plangrep-key.ts';
import { CannotDo } from '../command.ts';
import { environmentOption, opsCommand, type OpsRequest } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { tryPlangrepKey } from '../try-plangrep-key.ts';

/** How Plangrep took a key before it became the service's. */
type Tried = 'accepted' | 'not tried';

export const putPlangrepKey = opsCommand({
  name: 'plangrep-key put',
  summary: "Puts the organization's Plangrep API key into Secrets Manager, once Plangrep has accepted it.",
  notes: `The key is read from stdin or typed without an echo, never from an argument, which a shell history would keep. It is
${keyRule}. It is tried with one read of a job that does not exist; a key that Plangrep
rejects is not put. Where Plangrep cannot be asked, the command says so and asks. The service uses the key within 60 seconds;
"plangrep-key back" returns to the key before it.`,
  options: {},
  async run({ place, terminal }) {
    await terminal.confirm(`Replace the Plangrep key (${place.environment})?`);
    const value = await terminal.readSecret('Plangrep API key (not shown): ');
    if (keyInSecret(value).kind === 'no_key') {
      throw new CannotDo(2, `The key must be ${keyRule}: nothing was done.`);
    }
    const tried = await tryKey({ place, terminal }, value);
    const SecretId = await place.secretId('PlangrepKey');
    const put = new PutSecretValueCommand({ SecretId, SecretString: value });
    const { VersionId } = await place.secretsManager.send(put).catch((error: unknown) => {
      // The message may quote the rejected value, and so the key: only the error's name is passed on.
      if (error instanceof Error && error.name === 'ValidationException') {
        throw new CannotDo(1, `Secrets Manager rejected the value (${place.where}): ValidationException.`);
      }
      throw error;
    });
    terminal.show({ secretId: SecretId, versionId: VersionId, plangrep: tried }, [
      `The key is in ${SecretId} (${place.environment}): the service uses it within 60 s. Plangrep: ${tried}.`,
      `Back to the key before: npm run ops -- plangrep-key back${environmentOption(place)}`,
    ]);
    return 0;
  },
});

export const returnToPlangrepKey = opsCommand({
  name: 'plangrep-key back',
  summary: 'Makes the Plangrep key before the current one the current one again, once Plangrep has accepted it.',
  notes: `Secrets Manager keeps one key before the current one (AWSPREVIOUS), and the two change places: run again, the command undoes
itself. No key is shown. Needs secretsmanager:GetSecretValue and UpdateSecretVersionStage on the secret.`,
  options: {},
  async run({ place, terminal }) {
    const SecretId = await place.secretId('PlangrepKey');
    const before = await readStage(place, SecretId, 'AWSPREVIOUS');
    const current = await readStage(place, SecretId, 'AWSCURRENT');
    if (before?.SecretString === undefined || current === undefined) {
      throw new CannotDo(1, `There is no key before the current one (${place.environment}): put one.`);
    }
    const since = before.CreatedDate?.toISOString().slice(0, 10) ?? 'an unknown day';
    await terminal.confirm(`Return to the Plangrep key of ${since} (${place.environment})?`);
    const tried = await tryKey({ place, terminal }, before.SecretString);
    // AWSPREVIOUS moves by itself to the version that AWSCURRENT leaves.
    // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    await place.secretsManager.send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: before.VersionId,
        RemoveFromVersionId: current.VersionId,
      }),
    );
    terminal.show({ secretId: SecretId, versionId: before.VersionId, plangrep: tried }, [
      `The key of ${since} is current again (${place.environment}): the service uses it within 60 s. Plangrep: ${tried}.`,
    ]);
    return 0;
  },
});

/**
 * Asks Plangrep, before anything is changed.
 * @throws CannotDo (1) when Plangrep rejects the key, or could not be asked and the operator says no; (2) without one to ask
 */
async function tryKey({ place, terminal }: Pick<OpsRequest, 'place' | 'terminal'>, value: string): Promise<Tried> {
  // In a sandbox a simulator accepts whatever key the service sends.
  if (place.plangrepUrl === undefined) return 'not tried';
  const trial = await tryPlangrepKey(place.plangrepUrl, value);
  switch (trial.kind) {
    case 'accepted':
      return 'accepted';
    case 'malformed':
      throw new CannotDo(1, `The key must be ${trial.rule}: nothing was done.`);
    case 'refused':
      throw new CannotDo(1, 'Plangrep rejects this key (401): it is unknown, revoked or expired. Nothing was done.');
    case 'unknown':
      await terminal.confirm(`The key could not be tried: ${trial.why}. Use it nevertheless (${place.environment})?`);
      return 'not tried';
  }
}

/** @returns undefined where no version has the stage */
async function readStage(
  { secretsManager }: Place,
  SecretId: string,
  VersionStage: 'AWSCURRENT' | 'AWSPREVIOUS',
): Promise<GetSecretValueCommandOutput | undefined> {
  try {
    return await secretsManager.send(new GetSecretValueCommand({ SecretId, VersionStage }));
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
