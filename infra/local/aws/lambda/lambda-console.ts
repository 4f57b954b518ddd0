const { format } = process.getBuiltinModule('node:util');

type Level = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

const describe = (error: Error): object => ({
  errorType: error.constructor.name,
  errorMessage: error.message,
  stackTrace: error.stack?.split('\n'),
  ...Object.fromEntries(Object.entries(error)),
});
const serializeErrors = (_key: string, value: unknown): unknown => (value instanceof Error ? describe(value) : value);

const toLine = (level: Level, requestId: string | undefined, parameters: readonly unknown[]): string => {
  const head = { timestamp: new Date().toISOString(), level, requestId };
  if (parameters.length === 1) {
    try {
      return JSON.stringify({ ...head, message: parameters[0] }, serializeErrors);
    } catch {
      // A circular value has no JSON: it is printed as text, as by the runtime.
      return JSON.stringify({ ...head, message: format(parameters[0]) });
    }
  }
  const error = parameters.find((parameter) => parameter instanceof Error);
  const described = error === undefined ? {} : describe(error);
  return JSON.stringify({ ...head, message: format(...parameters), ...described }, serializeErrors);
};

/**
 * Makes `console` write what Lambda's Node runtime writes under `LogFormat: JSON`: one line a call, from level INFO up.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
 * @param requestId of the invocation under way
 */
export const imitateLambdaConsole = (requestId: () => string | undefined): void => {
  const write =
    (level: Level) =>
    (...parameters: unknown[]): void => {
      process.stdout.write(`${toLine(level, requestId(), parameters)}\n`);
    };
  console.log = write('INFO');
  console.info = write('INFO');
  console.warn = write('WARN');
  console.error = write('ERROR');
  console.debug = () => undefined;
  console.trace = () => undefined;
};
