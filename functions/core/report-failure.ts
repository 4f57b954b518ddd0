import { DependencyUnavailable, type Report } from './ports.ts';

/**
 * One line for what should not have happened: which dependency was broken, or where the bug is. The stack is logged,
 * never sent; a SyntaxError's message is left out, since it quotes the text that could not be parsed.
 */
export const reportFailure = (
  report: Report,
  error: unknown,
  fields: Readonly<Record<string, string | undefined>>,
): void => {
  if (error instanceof DependencyUnavailable) {
    const cause = error.cause instanceof Error ? error.cause.name : undefined;
    report('DEPENDENCY_UNAVAILABLE', { ...fields, dependency: error.dependency, cause });
    return;
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(`threw a ${typeof error}`);
  report('UNEXPECTED_ERROR', {
    ...fields,
    error: name,
    message: error instanceof SyntaxError ? undefined : message,
    stack: stack?.split('\n    at ').slice(1).join(' < '),
  });
};
