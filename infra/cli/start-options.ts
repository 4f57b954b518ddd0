import { parseArgs } from 'node:util';
import { parsePlangrepOrigin } from '../../functions/adapters/plangrep/plangrep-origin.ts';
import { CannotStart } from '../local/cannot-start.ts';

export const usage = `npm start [-- options]

Options
  --json    print one line of JSON instead of text
  --logs    show what the functions log, on stderr (or LOG=1)
  --help    this

Environment
  PORT                 the port on 127.0.0.1 (8787; 0: a free one)
  DATA_DIR             a folder that keeps the data between runs (in memory without it)
  PLANGREP_BASE_URL    another upstream in the simulator's place: https, or http on loopback
  PLANGREP_API_KEY     the key for it
  RECONCILE_EVERY_MS   milliseconds between two runs of the reconciler (60000)
  QUEUE_VISIBILITY_MS  milliseconds until an event that failed is tried again (60000)
`;

export type StartOptions =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'start';
      readonly port: number;
      readonly dataDir: string | undefined;
      readonly upstream: { readonly baseUrl: string; readonly apiKey: string } | undefined;
      readonly reconcileEveryMs: number | undefined;
      readonly queueVisibilityMs: number | undefined;
      readonly json: boolean;
      readonly logs: boolean;
    };

type Environment = Readonly<Record<string, string | undefined>>;

const readFlags = (args: readonly string[]) => {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ args: [...args], options: { json: flag, logs: flag, help: flag } }).values;
  } catch (error) {
    const [why] = error instanceof Error ? error.message.split('. ') : [];
    throw new CannotStart(`${why}. See "npm start -- --help".`, { cause: error });
  }
};

const readPort = (value: string): number => {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new CannotStart(`PORT must be a whole number from 0 to 65535, not "${value}".`);
};

const readMs = (name: string, value: string | undefined): number | undefined => {
  if (value === undefined || value === '') return undefined;
  if (/^\d{1,9}$/.test(value) && Number(value) >= 100) return Number(value);
  throw new CannotStart(`${name} must be a whole number of milliseconds from 100, not "${value}".`);
};

const readUpstream = ({ PLANGREP_BASE_URL: baseUrl, PLANGREP_API_KEY: apiKey }: Environment) => {
  if (baseUrl === undefined || baseUrl === '') return undefined;
  try {
    parsePlangrepOrigin(baseUrl);
  } catch (cause) {
    const rule = 'an origin alone (https://host), over https, or over http on loopback';
    throw new CannotStart(`PLANGREP_BASE_URL must be ${rule}.`, { cause });
  }
  if (apiKey === undefined || apiKey === '') {
    throw new CannotStart('PLANGREP_BASE_URL needs PLANGREP_API_KEY beside it.');
  }
  return { baseUrl, apiKey };
};

/** @throws CannotStart for what makes no sense */
export const readStartOptions = (args: readonly string[], environment: Environment): StartOptions => {
  const { json, logs, help } = readFlags(args);
  if (help) return { kind: 'help' };
  return {
    kind: 'start',
    port: readPort(environment['PORT'] ?? '8787'),
    dataDir: environment['DATA_DIR'] === '' ? undefined : environment['DATA_DIR'],
    upstream: readUpstream(environment),
    reconcileEveryMs: readMs('RECONCILE_EVERY_MS', environment['RECONCILE_EVERY_MS']),
    queueVisibilityMs: readMs('QUEUE_VISIBILITY_MS', environment['QUEUE_VISIBILITY_MS']),
    json,
    logs: logs || environment['LOG'] === '1',
  };
};
