import { callsPerPath, type Outgoing, type Path, type PathCalls } from './calls-per-path.ts';
import { measureCalls, pathNames } from './calls-measure.ts';
import { atMost, type BenchPart } from '../part.ts';

const isDynamoDb = (request: string): boolean => /^(?:GetItem|PutItem|Query|UpdateItem) /.test(request);
const isPlangrep = (request: string): boolean => request.startsWith('Plangrep ');

/** How many requests of a path go to each of the three. */
export const requestsTo = ({ requests }: PathCalls) => {
  const entries = Object.entries(requests);
  const count = (is: (request: string) => boolean): number =>
    entries.filter(([request]) => is(request)).reduce((sum, [, times]) => sum + times, 0);
  return { dynamoDb: count(isDynamoDb), secretsManager: requests.GetSecretValue ?? 0, plangrep: count(isPlangrep) };
};

/** `1 Query JobDirectory, 2 PutItem CancellationLog`. */
const inWords = ({ requests }: PathCalls): string => {
  const order = (request: string): string => (isDynamoDb(request) ? '1' : request === 'GetSecretValue' ? '2' : '3');
  const words = (Object.entries(requests) as [Outgoing, number][])
    .toSorted(([a], [b]) => order(a).localeCompare(order(b)))
    .map(([request, times]) => `${times} ${request}`);
  return words.length === 0 ? 'none' : words.join(', ');
};

/** The table for docs/performance.md: what every path asks of its dependencies. */
export const renderCalls = (byPath: Readonly<Record<Path, PathCalls>>): string => {
  const rows = pathNames.map((path) => {
    const { writeUnits, readUnits, storedBytes } = byPath[path];
    return [path, inWords(byPath[path]), writeUnits, readUnits, storedBytes];
  });
  const head = ['path', 'requests', 'write units', 'read units', 'bytes stored'];
  return [head, ['---', '---', '---:', '---:', '---:'], ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
};

const differs = (measured: PathCalls, expected: PathCalls): boolean => {
  const plain = ({ requests, ...rest }: PathCalls) =>
    JSON.stringify({ ...rest, requests: Object.entries(requests).toSorted(([a], [b]) => (a < b ? -1 : 1)) });
  return plain({ ...measured }) !== plain({ ...expected });
};

export const calls: BenchPart = {
  name: 'calls',
  title: 'requests to DynamoDB, Secrets Manager and Plangrep on every path',
  async run({ progress }) {
    progress(`${pathNames.length} paths`);
    const measured = await measureCalls();
    const unlike = pathNames.filter((path) => differs(measured[path], callsPerPath[path]));
    const warm = requestsTo(measured.cancelled);
    return {
      rows: [
        { what: 'cancelled, warm: to DynamoDB', figure: `${warm.dynamoDb}`, bar: atMost(warm.dynamoDb, 3) },
        { what: 'to Secrets Manager', figure: `${warm.secretsManager}`, bar: atMost(warm.secretsManager, 0) },
        { what: 'to Plangrep', figure: `${warm.plangrep}`, bar: atMost(warm.plangrep, 1) },
        {
          what: `paths unlike test/bench/calls/calls-per-path.ts, of ${pathNames.length}`,
          figure: unlike.join(', ') || '0',
          bar: atMost(unlike.length, 0),
        },
      ],
      table: renderCalls(measured),
      json: measured,
    };
  },
};
