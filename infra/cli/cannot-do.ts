/**
 * Why a command was not done, in one line that tells what to do: shown as it is, without a stack.
 * `exitCode` 1: understood, but not done; 2: wrong usage, or nothing to talk to.
 */
export class CannotDo extends Error {
  override readonly name = 'CannotDo';
  readonly exitCode: 1 | 2;
  constructor(exitCode: 1 | 2, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/**
 * One line on what a dependency's error means for whoever typed the command.
 * @param place where it is: `eu-central-1`, `http://127.0.0.1:8000`
 */
export const explain = (error: unknown, place: string): CannotDo | undefined => {
  const root = error instanceof Error && error.name === 'DependencyUnavailable' ? error.cause : error;
  if (root instanceof CannotDo) return root;
  if (!(root instanceof Error)) return undefined;
  const code = 'code' in root ? String(root.code) : root.name;
  if (root.name === 'TimeoutError' || /^(E[A-Z]+|UND_ERR_\w+)$/.test(code)) {
    const hint = place.startsWith('http') ? ' Begin a local run with "npm start", or name an --environment.' : '';
    return new CannotDo(2, `Nothing answers at ${place}: ${code}.${hint}`, { cause: error });
  }
  if (/^(Credentials|Token)ProviderError$|^ExpiredToken|^UnrecognizedClient|^InvalidClientTokenId/.test(root.name)) {
    return new CannotDo(2, `No AWS credentials that work (${place}): ${firstLine(root.message)}`, { cause: error });
  }
  // The SDK's own errors say who is at fault; anything else is a bug, and its stack is wanted.
  if ('$fault' in root) return new CannotDo(1, `${place}: ${root.name}: ${firstLine(root.message)}`, { cause: error });
  return undefined;
};

const firstLine = (message: string): string => message.split('\n', 1)[0] ?? '';
