import type { Context, SQSEvent } from 'aws-lambda';
import { createWakeUpQueue } from '../../../functions/adapters/sqs/wake-up-queue.ts';
import type { WakeUp, WakeUpQueue } from '../../../functions/core/ports.ts';
import { handleWakeUps } from '../../../functions/doors/wake-ups/handle-wake-ups.ts';
import type { Process } from './process.ts';
import { goodQueue, type QueueMood } from './troubles.ts';
import type { World } from './world.ts';

/** As infra/blueprint/wake-up-queue.ts has it: the simulation imports nothing of `infra/`. */
const VISIBILITY_MS = 46_000;

interface Message {
  readonly wakeUp: WakeUp;
  readonly body: string;
  receives: number;
  isDeleted: boolean;
}

/**
 * The wake-up queue: SQS with a delay, whose messages may get lost, come twice, early or late, to several consumers at
 * once, and again after their consumer died.
 */
export class WakeUpQueueModel {
  private readonly world: World;
  private readonly mood: QueueMood;

  constructor(world: World, mood: QueueMood) {
    this.world = world;
    this.mood = mood;
  }

  portFor(by: Process): WakeUpQueue {
    const { judge } = this.world;
    return {
      send: async (wakeUp) => {
        judge.wakeUps.sent(by, wakeUp);
        const send = (
          _url: string,
          { MessageBody: body, DelaySeconds = 0 }: { MessageBody: string; DelaySeconds?: number },
        ) =>
          by.ask(
            'wake-ups',
            `sends a wake-up of ${wakeUp.jobId}`,
            async () => this.accept(by, wakeUp, body, DelaySeconds * 1000),
            true,
          );
        // The adapter makes the same of every failure.
        await createWakeUpQueue(send, 'queue', by).send(wakeUp);
      },
    };
  }

  private accept(by: Process, wakeUp: WakeUp, body: string, delayMs: number): void {
    const { random, scheduler, figures, isCalm } = this.world;
    const { lost, repeated, early, late, isDead } = isCalm ? { ...goodQueue, isDead: this.mood.isDead } : this.mood;
    const isLost = isDead || random.chance(lost);
    this.world.note(() => `${by.name} sends ${body}, in ${delayMs} ms${isLost ? ': lost' : ''}`);
    figures.messages += 1;
    if (isLost) return;
    const laterMs = random.chance(late) ? random.pick([4_000, 20_000, 90_000, 600_000, 3_600_000]) : 0;
    const ownMs = random.chance(early) ? random.between(0, delayMs) : delayMs + laterMs;
    const message: Message = { wakeUp, body, receives: 0, isDeleted: false };
    scheduler.after(ownMs + random.between(0, 40), () => this.deliver(message));
    if (!random.chance(repeated)) return;
    const again: Message = { ...message };
    scheduler.after(ownMs + random.pick([0, 1, 40, 2_000, 60_000]), () => this.deliver(again));
  }

  private deliver(message: Message): void {
    if (message.isDeleted) return;
    const { world } = this;
    message.receives += 1;
    world.figures.delivered += 1;
    world.scheduler.after(VISIBILITY_MS, () => this.deliver(message));
    world.spawn('consumer', async (ports, by) => {
      const { wakeUp, body, receives } = message;
      world.judge.wakeUps.delivered(by, wakeUp);
      world.note(() => `${by.name} is handed ${body}`);
      const attributes = { ApproximateReceiveCount: String(receives) };
      const event = { Records: [{ messageId: 'message', body, attributes }] } as unknown as SQSEvent;
      const context = { getRemainingTimeInMillis: () => by.remainingMs() } as Context;
      const { batchItemFailures } = await handleWakeUps(ports)(event, context);
      if (batchItemFailures.length === 0) message.isDeleted = !world.random.chance(world.faults.redelivery);
    });
  }
}
