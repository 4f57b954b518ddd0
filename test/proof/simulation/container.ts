import { rememberAccess } from '../../../functions/adapters/dynamodb/remember-access.ts';
import { rememberListings } from '../../../functions/adapters/plangrep/remember-listings.ts';
import type { JobId } from '../../../functions/core/identifiers.ts';
import type { PlangrepJob } from '../../../functions/core/plangrep.ts';
import type { Partners, Plangrep } from '../../../functions/core/ports.ts';
import { createPlangrep } from './plangrep.ts';
import type { Process, ProcessKind } from './process.ts';
import type { World } from './world.ts';

/** So many invocations have one container at most: another deployment, another hour. */
const MOST_USES = 40;

/** An execution environment of AWS Lambda: one invocation after another, with one clock and what is remembered. */
export class Container {
  readonly kind: ProcessKind;
  /** How far its clock is ahead, in milliseconds. */
  readonly skew: number;
  /** As the production code remembers the listings and the partners' records. */
  readonly plangrep: Plangrep;
  readonly partners: Partners;
  /** The jobs that Plangrep has shown here. */
  readonly shown = new Map<JobId, PlangrepJob>();
  private current: Process | undefined;
  private uses = 0;

  constructor(world: World, kind: ProcessKind, skew: number) {
    this.kind = kind;
    this.skew = skew;
    const clock = { now: () => world.scheduler.now + skew };
    const calls = (): Plangrep => createPlangrep(world, this.process);
    this.plangrep = rememberListings(
      {
        cancel: (...call) => calls().cancel(...call),
        read: (...call) => calls().read(...call),
        list: (...call) => calls().list(...call),
      },
      clock,
    );
    this.partners = rememberAccess(
      (partnerId) =>
        this.process.ask('partners', `reads the projects of ${partnerId}`, async () =>
          world.partners.accessOf(partnerId),
        ),
      clock,
    );
  }

  get isIdle(): boolean {
    return this.current?.state === 'ended' && this.uses < MOST_USES;
  }

  /** A process that died took its container along. */
  get isUsable(): boolean {
    return this.current?.state !== 'dead' && this.uses < MOST_USES;
  }

  take(process: Process): void {
    this.current = process;
    this.uses += 1;
  }

  private get process(): Process {
    if (this.current === undefined) throw new Error('no invocation');
    return this.current;
  }
}
