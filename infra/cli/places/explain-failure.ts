import { RecordUnreadable } from '../../../functions/core/report.ts';
import { CannotDo } from '../command.ts';

/**
 * What the error of a dependency means for the operator, in one line.
 * @param place where the dependency is: `eu-central-1`, `http://127.0.0.1:8000`
 * @returns undefined for a bug, whose stack trace is wanted
 */
export function explainFailure(error: unknown, place: string): CannotDo | undefined {
  if (error instanceof RecordUnreadable) return new CannotDo(1, `${place}: ${error.message}`, { cause: error });
  const root = error instanceof Error && error.name === 'DependencyUnavailable' ? error.cause : error;
  if (root instanceof CannotDo) return root;
  if (!(root instanceof Error)) return undefined;
  const code = 'code' in root ? String(root.code) : root.name;
  const [line = ''] = root.message.split('\n', 1);
  if (root.name === 'TimeoutError' || /^(E[A-Z_]+|UND_ERR_\w+)$/.test(code)) {
    const hint = place.startsWith('http') ? ' Is the local run up? Start it with "npm start".' : '';
    return new CannotDo(2, `No answer from ${place}: ${code}.${hint}`, { cause: error });
  }
  if (
    /^(Credentials|Token)ProviderError$|^ExpiredToken|^UnrecognizedClient|^InvalidClientTokenId|^InvalidSignature/.test(
      root.name,
    )
  ) {
    return new CannotDo(2, `No valid AWS credentials (${place}): ${line}`, { cause: error });
  }
  // AWS's words; the policies of our tables and queues are meant.
  const role = /explicit deny in a resource-based policy/.test(line)
    ? ' It needs a role: docs/runbook.md, "Taking a role".'
    : '';
  // The SDK marks the errors of a service, and of a connection: anything else is a bug.
  return '$fault' in root || '$metadata' in root
    ? new CannotDo(1, `${place}: ${root.name}: ${line}${role}`, { cause: error })
    : undefined;
}
