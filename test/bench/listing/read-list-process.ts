import { createListingReader, MAX_JOBS_READ } from '../../../functions/adapters/plangrep/read-listing.ts';
import type { ListAnswer } from '../../../functions/core/plangrep.ts';
import { API_KEY, calls, clientOf } from '../../support/plangrep-calls.ts';
import { longList, nameOf } from './long-list.ts';

/** What this process says of itself, in one line of JSON. */
export interface ListFigures {
  readonly result: string;
  readonly jobs: number;
  readonly matches: number;
  readonly bytes: number;
  readonly cpuMs: number;
  /** Until the entry in the middle of the list has been read, and until the list was whole. */
  readonly entryMs: number;
  readonly wholeMs: number;
  /** The most memory that the process had. */
  readonly residentMiB: number;
}

const jobs = Number(process.argv[2]);
const wanted = nameOf(Math.ceil(jobs / 2));
const began = performance.now();
process.stdout.write(`${JSON.stringify(await measure(process.argv[3]))}\n`);

async function measure(plangrepUrl: string | undefined): Promise<ListFigures> {
  const { list, ...figures } = plangrepUrl === undefined ? readHere() : await readOverHttp(plangrepUrl);
  const isList = list.kind === 'jobs';
  return {
    ...figures,
    wholeMs: performance.now() - began,
    result: list.kind === 'unknown' ? list.why : list.kind,
    jobs: isList ? list.count : 0,
    matches: isList ? list.jobsOf(wanted).jobs.length : 0,
    residentMiB: process.resourceUsage().maxRSS / 1_024,
  };
}

interface Read extends Pick<ListFigures, 'bytes' | 'cpuMs' | 'entryMs'> {
  readonly list: ListAnswer;
}

/** Without a network, and without the making of the list in the processor time. */
function readHere(): Read {
  const reader = createListingReader({ jobs: MAX_JOBS_READ });
  let [bytes, cpuMs, entryMs] = [0, 0, 0];
  for (const chunk of longList(jobs)) {
    bytes += chunk.length;
    cpuMs += cpuOf(() => reader.take(chunk));
    if (entryMs === 0 && chunk.includes(`"${wanted}"`)) entryMs = performance.now() - began;
  }
  const body = Buffer.alloc(0);
  const answer = {
    kind: 'answer',
    status: 200,
    headers: {},
    body,
    interrupted: undefined,
    key: API_KEY,
    receivedAt: 0,
  } as const;
  let list: ListAnswer = { kind: 'not_found' };
  cpuMs += cpuOf(() => (list = reader.finish(answer, 0, true)));
  return { list, bytes, cpuMs, entryMs };
}

async function readOverHttp(url: string): Promise<Read> {
  const before = process.cpuUsage();
  const list = await calls.list(clientOf(url), Infinity);
  const { user, system } = process.cpuUsage(before);
  return { list, bytes: 0, cpuMs: (user + system) / 1_000, entryMs: 0 };
}

function cpuOf(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
