import type { CallbackMessage } from '../../../functions/core/callbacks/callback-message.ts';
import { callbackQueue } from '../../../infra/blueprint/callbacks.ts';
import type { Random } from '../simulation/random.ts';
import type { Scheduler } from '../simulation/scheduler.ts';

const VISIBILITY_MS = callbackQueue.visibilityTimeoutSeconds * 1_000;
const MOVED_BACK_MS = 3_600_000;

export interface QueueFaults {
  readonly repeated: number;
  readonly late: number;
}

interface Message {
  readonly body: string;
  receives: number;
}

/**
 * The callbacks queue, harder than SQS's: in any order, also several of one group at the same time, each message at least once,
 * and again when its process did not say that it was handled.
 */
export class QueueModel {
  setAside = 0;
  private readonly ready: Message[] = [];
  private isFlushing = false;
  private readonly scheduler: Scheduler;
  private readonly random: Random;
  private readonly faults: QueueFaults;
  /** Runs a batch. Resolves to the places of those that failed; never, where the process dies. */
  private readonly run: (bodies: readonly string[]) => Promise<readonly number[]>;

  constructor(scheduler: Scheduler, random: Random, faults: QueueFaults, run: QueueModel['run']) {
    this.scheduler = scheduler;
    this.random = random;
    this.faults = faults;
    this.run = run;
  }

  accept(message: CallbackMessage): void {
    const { repeated, late } = this.faults;
    const body = JSON.stringify(message);
    const laterMs = this.random.chance(late) ? this.random.pick([4_000, 90_000, 600_000]) : 0;
    this.deliverAfter({ body, receives: 0 }, laterMs);
    if (this.random.chance(repeated)) this.deliverAfter({ body, receives: 0 }, this.random.between(0, 5_000));
  }

  private deliverAfter(message: Message, delayMs: number): void {
    this.scheduler.after(delayMs + this.random.between(0, 40), () => {
      this.ready.push(message);
      if (this.isFlushing) return;
      this.isFlushing = true;
      this.scheduler.after(this.random.between(5, 200), () => this.flush());
    });
  }

  private flush(): void {
    this.isFlushing = false;
    while (this.ready.length > 0) {
      const batch = this.ready.splice(0, callbackQueue.batchSize);
      const isHandled = new Set<Message>();
      for (const message of batch) {
        message.receives += 1;
        this.scheduler.after(VISIBILITY_MS, () => {
          if (!isHandled.has(message)) this.comeBack(message);
        });
      }
      const done = (failures: readonly number[]): void => {
        for (const [n, message] of batch.entries()) if (!failures.includes(n)) isHandled.add(message);
      };
      void this.run(batch.map(({ body }) => body)).then(done);
    }
  }

  private comeBack(message: Message): void {
    if (message.receives < callbackQueue.maxReceives) return this.deliverAfter(message, 0);
    this.setAside += 1;
    this.deliverAfter({ body: message.body, receives: 0 }, MOVED_BACK_MS);
  }
}
