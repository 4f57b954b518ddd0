import { type ScannedRecord, scanLog } from '../audit/scan-log.ts';
import { opsCommand } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { count, type Progress, table as rowsOf } from '../terminal.ts';

/** The newest event of a stream in one of two tables. */
interface Head {
  readonly seq: number;
  readonly hash: string;
  readonly state: string;
  readonly at: string;
}

/** A cancellation of which the restored log does not have all. */
interface Lost {
  readonly partnerId: string;
  readonly jobId: string;
  /** As the older table has it: `open`, or how it ended. */
  readonly state: string;
  readonly at: string;
  /** How many events are missing; all of them: the restored log does not know the cancellation. */
  readonly events: number;
  readonly isUnknown: boolean;
  /** The newest event in the restored log is another one in the older log: its history was changed. */
  readonly differs: boolean;
}

export const listLost = opsCommand({
  name: 'restore lost',
  summary: 'Lists the cancellations of which a restored cancellation log does not have every event.',
  notes: `Compares it with the log that it was restored from, which it reads whole, so it is to be read and not trusted: verify both with
"ops audit verify". One entry a cancellation is kept in memory. Exits 1 when anything is lost. In AWS this needs dynamodb:DescribeTable and Scan on both.`,
  options: {
    restored: { hint: 'NAME', what: "the restored table's name in DynamoDB", required: true },
    from: { hint: 'NAME', what: 'the table it was restored from (default: the one in use)' },
  },
  async run({ place, terminal, values }) {
    const from = values.from ?? (await place.table('CancellationLog'));
    const kept = await readHeads(place, values.restored, terminal.progress);
    const changed = new Set<string>();
    const before = await readHeads(place, from, terminal.progress, (stream, { seq, hash }) => {
      const head = kept.get(stream);
      if (head?.seq === seq && head.hash !== hash) changed.add(stream);
    });
    terminal.progress.clear();
    const lost = [...before].flatMap(([stream, head]) => compare(stream, head, kept.get(stream), changed.has(stream)));
    const back = [...kept].filter(([stream, { seq }]) => seq > (before.get(stream)?.seq ?? 0)).length;
    lost.sort((a, b) => order(a).localeCompare(order(b)));
    const open = lost.filter(({ state }) => state === 'open').length;
    const rows = lost.map(({ partnerId, jobId, state, at, events, isUnknown, differs }) => [
      partnerId,
      jobId,
      state === 'open' ? { text: state, style: 'red' as const } : state,
      at,
      `${events}${isUnknown ? ' (all)' : ''}${differs ? ', and others were changed' : ''}`,
    ]);
    const summary = `${count(lost.length)} of ${count(before.size)} cancellations lose events, ${count(open)} of them open. ${count(back)} get events back.`;
    const lines = [...rowsOf(['PARTNER', 'JOB', 'STATE BEFORE', 'NEWEST EVENT', 'EVENTS LOST'], rows), summary];
    terminal.show({ from, restored: values.restored, lost, back }, lost.length === 0 ? [summary] : lines);
    return lost.length === 0 ? 0 : 1;
  },
});

/** Open ones first: their jobs may still run. */
function order({ state, at }: Lost): string {
  return `${state === 'open' ? 0 : 1} ${at}`;
}

function compare(stream: string, before: Head, kept: Head | undefined, differs: boolean): readonly Lost[] {
  const events = Math.max(0, before.seq - (kept?.seq ?? 0));
  if (events === 0 && !differs) return [];
  const [partnerId = '', jobId = ''] = stream.split('#');
  return [{ partnerId, jobId, state: before.state, at: before.at, events, isUnknown: kept === undefined, differs }];
}

async function readHeads(
  { dynamodb: client, where: place }: Pick<Place, 'dynamodb' | 'where'>,
  table: string,
  progress: Progress,
  onEvent: (stream: string, event: Head) => void = () => undefined,
): Promise<ReadonlyMap<string, Head>> {
  const heads = new Map<string, Head>();
  const onProgress = (items: number): void => progress.show(`${count(items)} items of ${table} read …`);
  for await (const page of scanLog({ client, table, place, onProgress })) {
    for (const { partition, record } of page) {
      const head = toHead(record);
      if (head !== undefined) onEvent(partition, head);
      if (head !== undefined && head.seq > (heads.get(partition)?.seq ?? 0)) heads.set(partition, head);
    }
  }
  return heads;
}

/** @returns undefined for a record that is not an event */
function toHead({ key, fields }: ScannedRecord['record']): Head | undefined {
  const seq = Number(/^event#(\d+)$/.exec(key)?.[1]);
  if (Number.isNaN(seq)) return undefined;
  const { type, outcome, hash, at } = fields;
  return { seq, hash: String(hash), at: String(at), state: type === 'closed' ? String(outcome) : 'open' };
}
