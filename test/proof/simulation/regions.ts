import type { CancellationEvent } from '../../../functions/core/cancellation/events.ts';
import { streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { MemoryLog } from '../../support/memory-ports.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/**
 * In which of two regions a process reads and writes the cancellation log. The service has one region: two, with a table
 * that DynamoDB replicates in its default mode, is a seeded bug.
 */
const regionOf = undefined as ((by: Process) => 0 | 1) | undefined;

type Stored = NonNullable<ReturnType<MemoryLog['streams']['get']>>[number];

type ItemName = Pick<CancellationEvent, 'partnerId' | 'jobId' | 'seq'>;
const nameOf = (item: ItemName): string => `${streamKey(item)}#${item.seq}`;

/**
 * The cancellation log in its regions, as DynamoDB's global tables with multi-Region eventual consistency (MREC) have it:
 * a condition is evaluated against the item in the region of the write, changes reach the other region up to about a
 * second later, and of two writes to one item the later one stays.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
 */
export class Regions {
  private readonly logs = [new MemoryLog(), new MemoryLog()] as const;
  /** Of each region: when each item was written that is in it. */
  private readonly writtenAt = [new Map<string, number>(), new Map<string, number>()] as const;
  /** When what was written last in each region arrives in the other one. */
  private readonly arrivesAt: [number, number] = [0, 0];
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** The first region's. */
  get log(): MemoryLog {
    return this.logs[0];
  }

  logOf(by: Process): MemoryLog {
    return this.logs[regionOf?.(by) ?? 0];
  }

  /** Sends an item on its way to the other region, as it is in the process's. */
  replicate(by: Process, name: ItemName): void {
    if (regionOf === undefined) return;
    const from = regionOf(by);
    const { random, scheduler } = this.world;
    const stored = this.logs[from].streams.get(streamKey(name))?.[name.seq - 1];
    if (stored === undefined) return;
    const writtenAt = scheduler.now;
    this.writtenAt[from].set(nameOf(name), writtenAt);
    const copy = { ...stored };
    const arrives = Math.max(this.arrivesAt[from], scheduler.now + random.between(50, 1_000));
    this.arrivesAt[from] = arrives;
    scheduler.after(arrives - scheduler.now, () => this.arrive(from === 0 ? 1 : 0, copy, writtenAt));
  }

  private arrive(to: 0 | 1, stored: Stored, writtenAt: number): void {
    const { event } = stored;
    const standing = this.writtenAt[to].get(nameOf(event)) ?? Number.NEGATIVE_INFINITY;
    if (standing > writtenAt) return;
    this.writtenAt[to].set(nameOf(event), writtenAt);
    const { streams } = this.logs[to];
    const stream = [...(streams.get(streamKey(event)) ?? [])];
    stream[event.seq - 1] = stored;
    streams.set(streamKey(event), stream);
    this.world.note(() => `${event.jobId} ${event.seq} ${event.type} arrives in region ${to + 1}`);
  }
}
