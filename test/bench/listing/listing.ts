import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { listenOnLoopback } from '../../../infra/local/aws/loopback.ts';
import { functions } from '../../../infra/blueprint/functions.ts';
import { atMost, type BenchPart } from '../part.ts';
import type { ListFigures } from './read-list-process.ts';
import { longList } from './long-list.ts';
import { readLongList } from './read-list.ts';

const JOBS = 100_000;
const MEMORY_MIB = functions['request-cancellation'].memoryMb;
/** AWS gives a function a whole processor at 1,769 MB (AWS Lambda Developer Guide, Configure memory). */
const CPU_SHARE = MEMORY_MIB / 1_769;
const CALL_MS = 5_000;

/** A project's list of 100,000 jobs of the documented size, read while it arrives. */
export const listing: BenchPart = {
  name: 'listing',
  title: `a list of ${JOBS.toLocaleString('en-US')} jobs: memory, time and processor`,
  async run({ rounds = 5, progress }) {
    const here: ListFigures[] = [];
    const overHttp: ListFigures[] = [];
    for (let n = 1; n <= rounds; n += 1) {
      progress(`round ${n} of ${rounds}`);
      here.push(await readLongList(JOBS, MEMORY_MIB / 2));
      overHttp.push(await readOverHttp());
    }
    const [one] = here;
    const read = overHttp.filter(({ jobs, matches }) => jobs === JOBS && matches === 1).length;
    const cpuMs = least(here, 'cpuMs');
    return {
      rows: [
        { what: 'bytes of the list', figure: `${((one?.bytes ?? 0) / 1e6).toFixed(1)} MB` },
        {
          what: 'most memory of the process, with a heap of half a function’s memory',
          figure: `${Math.round(Math.max(...[...here, ...overHttp].map(({ residentMiB }) => residentMiB)))} MiB`,
          bar: atMost(Math.max(...[...here, ...overHttp].map(({ residentMiB }) => residentMiB)), MEMORY_MIB, ' MiB'),
        },
        {
          what: 'until the entry in its middle is read, the list made in the same process',
          figure: `${Math.round(least(here, 'entryMs'))} ms`,
        },
        {
          what: 'until the list is whole, so that the entry is known to be the only one',
          figure: `${Math.round(least(here, 'wholeMs'))} ms`,
        },
        {
          what: 'the same over HTTP on this machine',
          figure: `${Math.round(least(overHttp, 'wholeMs'))} ms, read ${read} of ${rounds} times`,
        },
        {
          what: `processor time of reading, on the ${CPU_SHARE.toFixed(2)} of a processor that a function has`,
          figure: `${Math.round(cpuMs)} ms, ${Math.round(cpuMs / CPU_SHARE)} ms`,
          bar: atMost(cpuMs / CPU_SHARE, CALL_MS, ' ms'),
        },
      ],
      notes: [
        'Each figure is the least of its rounds, the memory the most. Each round is a new process, so its code is not compiled yet.',
        'The processor time is that of reading alone. It is that of all threads, so also of the collection of garbage.',
      ],
      json: { here, overHttp },
    };
  },
};

function least(figures: readonly ListFigures[], name: 'cpuMs' | 'entryMs' | 'wholeMs'): number {
  return Math.min(...figures.map((one) => one[name]));
}

async function readOverHttp(): Promise<ListFigures> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    Readable.from(longList(JOBS)).pipe(response);
  });
  const port = await listenOnLoopback(server);
  try {
    return await readLongList(JOBS, MEMORY_MIB / 2, `http://127.0.0.1:${port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
