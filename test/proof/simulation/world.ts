import { retention } from '../../support/names.ts';
import type { CancellationEvent, JoinedRecord, RefusedRecord } from '../../../functions/core/cancellation/events.ts';
import type { AllPorts } from '../../support/memory-ports.ts';
import { Container } from './container.ts';
import { type Figures, noFigures } from './figures.ts';
import { Journal } from './journal.ts';
import { CallJudge } from './judge-calls.ts';
import { OwnershipJudge } from './judge-ownership.ts';
import { RequestJudge } from './judge-requests.ts';
import { StreamJudge } from './judge-streams.ts';
import { WakeUpJudge } from './judge-wake-ups.ts';
import { PartnerRecords } from './partner-records.ts';
import { PlangrepModel } from './plangrep-model.ts';
import { type FaultRates, noFaults, Process, type ProcessKind } from './process.ts';
import type { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { Store } from './store.ts';
import { goodQueue, isWithin, type Troubles } from './troubles.ts';
import { WakeUpQueueModel } from './wake-up-queue.ts';

const START_MS = Date.parse('2026-11-23T12:00:00.000Z');
/** So many wait for their next invocation at most. */
const MOST_CONTAINERS = 20;

/** The invariants, each with the part that it is about. */
export interface Judge {
  readonly journal: Journal;
  readonly streams: StreamJudge;
  readonly calls: CallJudge;
  readonly requests: RequestJudge;
  readonly ownership: OwnershipJudge;
  readonly wakeUps: WakeUpJudge;
}

export interface WorldPlan extends Troubles {
  readonly faults: FaultRates;
  /** Calls take milliseconds, as they do on most days: for what is about many rather than about collisions. */
  readonly isSwift?: boolean;
}

/** Everything that a schedule happens in: time, chance, tables, Plangrep, processes, and the judge of it all. */
export class World {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly plangrep: PlangrepModel;
  readonly partners: PartnerRecords;
  readonly store: Store;
  readonly queue: WakeUpQueueModel;
  readonly judge: Judge;
  readonly figures: Figures = { ...noFigures };
  readonly running = new Set<Process>();
  /** Receives every event that is new in the log. */
  onAppended: (event: CancellationEvent) => void = () => undefined;
  /** Receives every record of a request that joined or was refused. */
  onBeside: (record: JoinedRecord | RefusedRecord) => void = () => undefined;
  private containers: readonly Container[] = [];
  private readonly trace: string[] | undefined;
  private readonly plan: WorldPlan;
  private ids = 0;

  constructor(random: Random, plan: WorldPlan, trace?: string[]) {
    this.random = random;
    this.plan = plan;
    this.trace = trace;
    this.scheduler = new Scheduler(random, START_MS);
    const now = () => this.scheduler.now;
    const { keyForeign } = plan;
    this.plangrep = new PlangrepModel(
      now,
      keyForeign && { from: START_MS + keyForeign.from, to: START_MS + keyForeign.to },
    );
    this.partners = new PartnerRecords(now);
    this.store = new Store(this);
    this.queue = new WakeUpQueueModel(this, plan.queue);
    const { plangrep, partners, store } = this;
    const journal = new Journal();
    const ownership = new OwnershipJudge(journal, { plangrep, partners, directory: store.directory, now });
    this.judge = {
      journal,
      ownership,
      streams: new StreamJudge(journal, plangrep, now),
      calls: new CallJudge(journal, now),
      requests: new RequestJudge(journal, plangrep, ownership, now),
      wakeUps: new WakeUpJudge(journal, now, { fromMs: START_MS + plan.calmAfterMs, isQueueDead: plan.queue.isDead }),
    };
  }

  get elapsedMs(): number {
    return this.scheduler.now - START_MS;
  }

  /** Nothing but Plangrep itself is at fault in this schedule. */
  get isHealthy(): boolean {
    const { faults, queue } = this.plan;
    return queue === goodQueue && Object.values(faults).every((rate) => rate === 0);
  }

  get isCalm(): boolean {
    return this.elapsedMs >= this.plan.calmAfterMs;
  }

  get faults(): FaultRates {
    return this.isCalm ? noFaults : this.plan.faults;
  }

  isIn(trouble: 'keyRefused' | 'down'): boolean {
    return isWithin(this.plan[trouble], this.elapsedMs);
  }

  /** One way of a call: mostly next to nothing, so that what happens at once collides. */
  latencyMs(): number {
    const { random } = this;
    if (random.chance(this.faults.slow)) return random.pick([1_500, 3_000, 6_000, 12_000, 30_000, 70_000]);
    if (random.next() < 0.5) return random.between(0, 3);
    return this.plan.isSwift === true ? random.between(1, 12) : random.between(3, random.chance(0.1) ? 900 : 60);
  }

  indexLagMs(): number {
    return this.random.chance(0.8) ? this.random.between(0, 20) : this.random.between(0, 3_000);
  }

  private drawSkew(): number {
    const { random, faults } = this;
    if (random.chance(faults.bigSkew)) return random.between(-45_000, 45_000);
    return random.chance(faults.skew) ? random.between(-3_000, 3_000) : 0;
  }

  /** Mostly one that stands idle, which remembers; now and then, as when many come at once, a new one. */
  private drawContainer(kind: ProcessKind): Container {
    // In the calm at the end every clock is right.
    const isRight = (container: Container): boolean => !this.isCalm || container.skew === 0;
    const [first, ...others] = this.containers.filter((one) => one.isIdle && one.kind === kind && isRight(one));
    if (first !== undefined && this.random.chance(0.8)) return this.random.pick([first, ...others]);
    const container = new Container(this, kind, this.drawSkew());
    const kept = this.containers.filter((one) => one.isUsable).slice(-MOST_CONTAINERS);
    this.containers = [...kept, container];
    return container;
  }

  /** Begins an invocation of a function. @param main what it does; what it throws is a bug */
  spawn(kind: ProcessKind, main: (ports: AllPorts, by: Process) => Promise<void>): Process {
    const by = new Process(this, ++this.ids, this.drawContainer(kind));
    this.running.add(by);
    this.note(() => `${by.name} begins${by.skew === 0 ? '' : `, its clock ${by.skew} ms ahead`}`);
    main(this.portsFor(by), by).then(
      () => this.ended(by),
      (error: unknown) => {
        this.judge.journal.violate('no bug surfaces', `${by.name}: ${String(error)}`);
        this.ended(by);
      },
    );
    return by;
  }

  private ended(by: Process): void {
    by.state = 'ended';
    by.endedAt = this.scheduler.now;
    this.note(() => `${by.name} ends`);
    this.left(by);
  }

  left(by: Process): void {
    this.running.delete(by);
    if (by.state === 'dead') this.figures.died += 1;
  }

  private portsFor(by: Process): AllPorts {
    const { random, judge } = this;
    return {
      log: this.store.logFor(by),
      directory: this.store.directoryFor(by),
      partners: by.container.partners,
      plangrep: by.container.plangrep,
      wakeUpQueue: this.queue.portFor(by),
      clock: {
        now: () => by.now(),
        random: () => random.next(),
        newId: () => `id-${++this.ids}`,
        newSalt: () => String(++this.ids).padStart(32, '0'),
        sleep: (ms) => by.sleep(ms),
      },
      retention,
      report: (code, fields) => {
        const what = [fields?.['why'], fields?.['type']].find((value) => typeof value === 'string');
        by.reported.add(code).add(`${code} ${what}`);
        if (code === 'ATTEMPT_FENCED') this.figures.fenced += 1;
        if (code === 'RECONCILED') this.figures.lostByQueue += Number(fields?.['lostByQueue']);
        if (code === 'OWNERSHIP_REFUSED') this.figures.ownershipRefused += 1;
        if (code === 'JOB_REGISTERED' && fields?.['result'] === 'unverified') this.figures.unverified += 1;
        if (code === 'UNEXPECTED_ERROR' || code === 'STREAM_BROKEN') {
          judge.journal.violate('no bug surfaces', `${by.name}: ${code} ${JSON.stringify(fields)}`);
        }
        this.note(() => `${by.name} reports ${code}`);
      },
    };
  }

  appended(event: CancellationEvent): void {
    if (event.type === 'requested') this.figures.requested += 1;
    if (event.type === 'requested' && event.attempt > 1) this.figures.reopened += 1;
    if (event.type === 'closed') this.figures.closed += 1;
    if (event.type === 'closed' && event.outcome === 'job_not_found') this.figures.notFound += 1;
    if (event.type === 'escalated') this.figures.escalated += 1;
    if (event.type === 'attempt_started') this.figures.takenOver += 1;
    this.onAppended(event);
  }

  /** One line of the trace, put into words only when it is read. */
  note(line: () => string): void {
    this.trace?.push(`${(this.elapsedMs / 1000).toFixed(3).padStart(9)} s  ${line()}`);
  }
}
