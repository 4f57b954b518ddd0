import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Change } from '../../../functions/core/archive/judge-change.ts';
import { sealEvent } from '../../../functions/core/cancellation/chain.ts';
import type { CancellationEvent } from '../../../functions/core/cancellation/events.ts';
import { eventKey, refusedDayKey, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { count } from '../../../infra/cli/terminal.ts';
import { createArchive, writing } from '../../support/archive-builder.ts';
import { acme, jobId, retention } from '../../support/names.ts';
import {
  accepted,
  closed,
  ended,
  joinedRecord,
  refusedRecord,
  requested,
  started,
} from '../../support/stored-streams.ts';

/** How many streams are open at the same time: their events interleave. */
const OPEN_STREAMS = 500;
const RECORDS_PER_OBJECT = 1_000;
const OBJECTS_PER_DIGEST = 20;
const bodies = [requested, ended(1), started(2), accepted(2), closed];

/**
 * `node test/bench/archive/measure-audit.ts 100000 1000000`: makes archives of so many records, and runs verify-audit over each
 * in a separate process: records per second, and the most memory that it took.
 */
const sizes = process.argv.slice(2).map(Number);
for (const records of sizes.length === 0 ? [100_000, 1_000_000] : sizes) await measure(records);

async function measure(records: number): Promise<void> {
  const archive = makeArchive(records);
  const script = join(import.meta.dirname, '../../../infra/cli/verify-audit.ts');
  // Linux counts the resident set in KiB.
  const onExit = `process.on('exit', () => console.error(process.resourceUsage().maxRSS))`;
  const child = spawn(
    process.execPath,
    [
      `--import=data:text/javascript,${onExit}`,
      script,
      `--archive=${archive.folder}`,
      `--public-key=${archive.publicKeyFile}`,
      `--now=${toTimestamp(archive.nowMs())}`,
      '--json',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  rmSync(archive.folder, { recursive: true });
  rmSync(archive.publicKeyFile);
  if (exit[0] !== 0) throw new Error(`verify-audit ended with ${String(exit[0])}: ${stdout.slice(0, 2_000)}${stderr}`);
  const { records: read, streams, recordsPerSecond, seconds } = Object(JSON.parse(stdout));
  const memory = `${count(Math.round(Number(stderr) / 1_024))} MiB`;
  console.log(
    `${count(read)} records, ${count(streams)} streams: ${count(recordsPerSecond)} records/s (${seconds} s), ${memory}`,
  );
}

/** Streams of five events, some with a request that joined, and refused requests, in order of time. */
function makeArchive(records: number) {
  const archive = createArchive();
  const first = archive.nowMs();
  let objects = 0;
  let waiting: Change[] = [];
  for (const change of changesOf(records)) {
    waiting.push(change);
    if (waiting.length < RECORDS_PER_OBJECT) continue;
    archive.put(waiting);
    waiting = [];
    objects += 1;
    if (objects % OBJECTS_PER_DIGEST > 0) continue;
    archive.setTimeMs(first + (objects / OBJECTS_PER_DIGEST) * 3_600_000);
    archive.seal();
  }
  if (waiting.length > 0) archive.put(waiting);
  archive.setTimeMs(first + (Math.floor(objects / OBJECTS_PER_DIGEST) + 1) * 3_600_000);
  archive.seal();
  return archive;
}

function* changesOf(records: number): Generator<Change> {
  const open = new Map<number, { readonly job: string; last: CancellationEvent | undefined }>();
  const at = '2026-11-23T12:00:00.000Z';
  let streams = 0;
  for (let made = 0; made < records; made += 1) {
    if (made % 20 === 19) {
      const refused = refusedRecord({ requestId: `r-${made}` });
      yield writing(refusedDayKey({ partnerId: acme, at }), refused);
      continue;
    }
    const slot = (made * 7_919) % OPEN_STREAMS;
    const stream = open.get(slot) ?? { job: `job_${(streams += 1)}`, last: undefined };
    open.set(slot, stream);
    const name = { partnerId: acme, jobId: jobId(stream.job) };
    const body = bodies[stream.last?.seq ?? 0];
    if (body === undefined) {
      const joined = joinedRecord({ ...name, requestId: `r-${made}`, deleteAfter: stream.last?.deleteAfter ?? 0 });
      open.delete(slot);
      yield writing(streamKey(name), joined);
      continue;
    }
    const event = sealEvent(name, stream.last, body, { eventId: `e-${made}`, at, keptDays: retention.events });
    stream.last = event;
    yield writing(streamKey(name), { key: eventKey(event.seq), fields: { ...event } });
  }
}
