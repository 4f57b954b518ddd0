import { parsePlangrepOrigin } from '../../functions/adapters/plangrep/plangrep-origin.ts';
import { keyInSecret, keyRule } from '../../functions/adapters/plangrep/plangrep-key.ts';
import { type TableName, tables } from '../blueprint/tables.ts';
import { createConsole } from '../local/console/create-console.ts';
import type { CredentialsFile } from '../local/credentials/credentials-file.ts';
import { CannotStart, explainRunError } from '../local/cannot-start.ts';
import { type LocalRun, startLocalRun } from '../local/run.ts';
import { CannotDo, type CommandDescription, readList, runScript, type Values } from './command.ts';
import { credentialsPath } from './places/local-place.ts';
import { welcome } from './welcome.ts';

/** `npm start`: the service on this machine, until Ctrl-C. */
const options = {
  json: { what: 'print one line of JSON instead of text' },
  logs: { what: 'show what the functions log, on stderr (or LOG=1)' },
} as const;
const command = {
  name: 'start',
  call: 'npm start --',
  summary: 'Runs the service on this machine, with a simulator of Plangrep, until Ctrl-C.',
  options,
  sections: {
    Environment: {
      PORT: 'the port on 127.0.0.1 (8787; 0: a free one)',
      DATA_DIR: 'a folder that keeps the data between runs (in memory without it); only its owner can read it',
      RESTORED_TABLES: 'restored tables in DATA_DIR to use, by name: CancellationLog=NAME,Partners=NAME',
      PLANGREP_BASE_URL: "another upstream in the simulator's place: https, or http on loopback",
      PLANGREP_API_KEY: 'the key for it, at least 16 characters',
      RECONCILE_EVERY_MS: 'milliseconds between two runs of the reconciler (60000)',
      CREDENTIALS_FILE: 'the file for addresses and keys, here and for the commands (.local/credentials.json)',
      QUEUE_VISIBILITY_MS: 'milliseconds until a message that failed is tried again (60000, for callbacks 180000)',
    },
  },
  exitCodes: { 0: 'ended by Ctrl-C', 1: 'could not start' },
  wrongUsage: 1,
} as const satisfies CommandDescription<typeof options>;

/** Signals of one Ctrl-C arrive within milliseconds. */
const SAME_KEY_MS = 500;

// Until the run is up there is nothing to close: the containers end with this process.
let end = (): void => process.exit(0);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end());

// A dependency that throws where nothing can catch it, for example the embedded engine on a full disk.
process.on('uncaughtException', (error: unknown) => {
  const line = explainRunError(error);
  if (line === undefined) console.error(error);
  else process.stderr.write(`The run ends: ${line}\n`);
  process.exit(1);
});

// The files that a run keeps are for its owner alone; the engine makes its own without a mode.
process.umask(0o077);
await runScript(command, start);
// What a run that could not start has begun already ends with this process.
if (process.exitCode === 1) process.exit();

async function start({ json, logs }: Values<typeof options>): Promise<0> {
  const { env } = process;
  const isLogging = logs || env['LOG'] === '1';
  const dataDir = env['DATA_DIR'] === '' ? undefined : env['DATA_DIR'];
  const run = await startLocalRun({
    port: readPort(env['PORT'] ?? '8787'),
    dataDir,
    restoredTables: readRestoredTables(env['RESTORED_TABLES'] ?? ''),
    upstream: readUpstream(env['PLANGREP_BASE_URL'], env['PLANGREP_API_KEY']),
    reconcileEveryMs: readMs('RECONCILE_EVERY_MS', env['RECONCILE_EVERY_MS']),
    queueVisibilityMs: readMs('QUEUE_VISIBILITY_MS', env['QUEUE_VISIBILITY_MS']),
    onLog: isLogging ? (line) => void process.stderr.write(`${line}\n`) : undefined,
    credentialsPath,
    beside: createConsole,
    // A caller that waits (`Prefer: wait`) holds a container for up to 10 s.
    containersPerFunction: 10,
  }).catch((error: unknown) => {
    throw error instanceof CannotStart ? new CannotDo(1, error.message, { cause: error }) : error;
  });
  end = () => close(run);
  const { baseUrl, consoleUrl, plangrepUrl, endpoints, aws, partners } = run;
  const path = pathOf(run.credentials);
  const asJson = { baseUrl, consoleUrl, plangrepUrl, endpoints, aws, partners, credentialsPath: path ?? null };
  process.stdout.write(json ? `${JSON.stringify(asJson)}\n` : `\n${welcome(run, path, dataDir)}`);
  const note = describe(run.credentials);
  if (note !== undefined) process.stderr.write(`${note}\n`);
  return 0;
}

function pathOf(file: CredentialsFile): string | undefined {
  return file.kind === 'written' || file.kind === 'beside' ? file.path : undefined;
}

/** What differs from the usual. */
function describe(file: CredentialsFile): string | undefined {
  switch (file.kind) {
    case 'none':
    case 'written':
      return undefined;
    case 'beside':
      return `Another run is up in this folder, on ${file.other}: ${file.asked} stays its own. For a command on this run, set CREDENTIALS_FILE=${file.path}.`;
    case 'unwritable':
      return `${file.path} cannot be written: ${file.reason}. The run works, but commands like "npm run ops" do not find it: set CREDENTIALS_FILE to a file that can be written.`;
  }
}

function close(run: LocalRun): void {
  const sinceMs = performance.now();
  // A second Ctrl-C does not wait. npm hands on what the terminal has sent to this process already: one key, two signals.
  end = () => {
    if (performance.now() - sinceMs > SAME_KEY_MS) process.exit(130);
  };
  run.close().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}

function readPort(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new CannotDo(1, `PORT must be a whole number from 0 to 65535, not "${value}".`);
}

function readMs(name: string, value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined;
  if (/^\d{1,9}$/.test(value) && Number(value) >= 100) return Number(value);
  throw new CannotDo(1, `${name} must be a whole number of milliseconds from 100, not "${value}".`);
}

function readRestoredTables(value: string): Partial<Record<TableName, string>> {
  const restored: Partial<Record<TableName, string>> = {};
  for (const pair of readList(value)) {
    const [, given, name] = /^(\w+)=([\w.-]{3,255})$/.exec(pair) ?? [];
    const table = Object.keys(tables).find((one): one is TableName => one === given);
    if (table === undefined || name === undefined) {
      const example = Object.keys(tables).map((one) => `${one}=NAME`);
      throw new CannotDo(1, `RESTORED_TABLES must be some of ${example.join(',')}, not "${value}".`);
    }
    restored[table] = name;
  }
  return restored;
}

function readUpstream(baseUrl: string | undefined, apiKey: string | undefined) {
  if (baseUrl === undefined || baseUrl === '') return undefined;
  try {
    parsePlangrepOrigin(baseUrl);
  } catch (cause) {
    const rule = 'an origin without a path (https://host), over https, or over http on loopback';
    throw new CannotDo(1, `PLANGREP_BASE_URL must be ${rule}.`, { cause });
  }
  if (apiKey === undefined || apiKey === '') {
    throw new CannotDo(1, 'PLANGREP_BASE_URL needs PLANGREP_API_KEY beside it.');
  }
  if (keyInSecret(apiKey).kind === 'key') return { baseUrl, apiKey };
  throw new CannotDo(1, `PLANGREP_API_KEY must be ${keyRule}.`);
}
