import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { EnvironmentVariable, SandboxVariable } from '../blueprint/functions.ts';
import { answerTo } from './rehearsal-answers.ts';
import { type Name, usualWork } from './rehearsal-work.ts';

/** Each function in turn: an answer without the expected fields, or an error, ends the process with code 1. */
const rehearsal = `
(async () => {
  const [folder, file, usualWork] = process.argv.slice(1);
  for (const [name, { event, answer }] of JSON.parse(usualWork)) {
    const path = folder + '/' + name + '/' + file;
    const { handler } = file.endsWith('.cjs') ? require(path) : await import(path);
    const answered = await handler(event, { getRemainingTimeInMillis: () => 40_000 });
    const isDone = JSON.stringify({ ...answered, ...answer }) === JSON.stringify(answered);
    if (!isDone) throw new Error(name + ' answered ' + JSON.stringify(answered));
  }
  process.exit(0);
})();`;

export interface RehearsalOptions {
  /** Of Node. @default none */
  readonly flags?: readonly string[];
  /** @default every function */
  readonly only?: Name;
  /** What is loaded: with `require` if it is `index.cjs`. @default 'index.mjs' */
  readonly file?: 'index.mjs' | 'index.cjs';
}

/**
 * Loads `<folder>/<name>/<file>` of each function in one new process and has it do its usual work once: the handler
 * gets a canned event, and a server on loopback answers in place of DynamoDB, Secrets Manager and Plangrep. The process
 * has nothing of this one's environment, so that a developer's AWS profile or `NODE_OPTIONS` changes nothing.
 * @throws Error when a function does not do its work: the message has what the process printed
 */
export async function rehearse(
  folder: string,
  { flags = [], only, file = 'index.mjs' }: RehearsalOptions = {},
): Promise<void> {
  const server = createServer((incoming, response) => {
    void text(incoming).then((body) => response.end(answerTo(incoming, body)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const work = Object.entries(usualWork).filter(([name]) => only === undefined || name === only);
  try {
    const env = { ...environment(`http://127.0.0.1:${port}`), HOME: folder };
    await promisify(execFile)(process.execPath, [...flags, '-e', rehearsal, folder, file, JSON.stringify(work)], {
      env,
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The variables of all functions. */
function environment(url: string): Readonly<Record<EnvironmentVariable | SandboxVariable | `AWS_${string}`, string>> {
  return {
    ENVIRONMENT: 'local',
    PLANGREP_BASE_URL: url,
    PLANGREP_SECRET_ID: 'rehearsal',
    JOB_DIRECTORY_TABLE: 'JobDirectory',
    CANCELLATION_LOG_TABLE: 'CancellationLog',
    PARTNERS_TABLE: 'Partners',
    SANDBOX_TABLE: 'Sandbox',
    EVENTS_MAX_RECEIVES: '5',
    RETENTION_DAYS: 'events=90&requests=30&jobs=30',
    EVENTS_DEAD_LETTERS_URL: `${url}/000000000000/dead-letters`,
    WAKE_UP_QUEUE_URL: `${url}/000000000000/wake-ups`,
    CALLBACK_QUEUE_URL: `${url}/000000000000/callbacks`,
    CALLBACK_SECRET_ID: 'callbacks',
    EVENTBRIDGE_URL: url,
    EVENT_BUS_NAME: 'default',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'rehearsal',
    AWS_SECRET_ACCESS_KEY: 'rehearsal',
    ARCHIVE_BUCKET: 'archive',
    SEAL_KEY: 'alias/seal',
    SEAL_MARGIN_SECONDS: '60',
    AWS_ENDPOINT_URL_DYNAMODB: url,
    AWS_ENDPOINT_URL_KMS: url,
    AWS_ENDPOINT_URL_S3: url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
  };
}
