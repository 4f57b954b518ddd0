import type { Environment } from '../../blueprint/environment-schema.ts';
import { type KeyTrial, tryPlangrepKey } from '../try-plangrep-key.ts';
import type { AskAws } from './ask-aws.ts';

/** Reads Plangrep's key, which an operator may and a workflow may not, and tries it. Nothing that is shown holds it. */
export async function tryStoredKey(
  ask: AskAws,
  { name, plangrepBaseUrl }: Pick<Environment, 'name' | 'plangrepBaseUrl'>,
): Promise<KeyTrial> {
  const answer = await ask('secretsmanager', 'secretsmanager:GetSecretValue', {
    operation: 'GetSecretValue',
    input: { SecretId: `plangrep-cancellation/${name}/api-key` },
  });
  switch (answer.kind) {
    case 'denied':
      return { kind: 'unknown', why: `needs the permission ${answer.action}` };
    case 'silent':
      return { kind: 'unknown', why: `no answer: ${answer.why}` };
    case 'error':
      // Its message may quote the secret.
      return { kind: 'unknown', why: answer.code };
    case 'answer': {
      const { SecretString = '' }: { SecretString?: string } = JSON.parse(answer.text);
      return tryPlangrepKey(plangrepBaseUrl, SecretString);
    }
  }
}
