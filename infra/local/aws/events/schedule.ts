import { randomUUID } from 'node:crypto';

export interface ScheduleOptions {
  readonly everyMs: number;
  /** Runs under way at the same time; one that is due beyond that is missed. */
  readonly atOnce: number;
  readonly region: string;
  readonly invoke: (event: unknown) => Promise<unknown>;
}

/**
 * A scheduled EventBridge rule: invokes at once, then at every interval, whether or not the run before has ended, as an
 * asynchronous invocation does. One that finds no room within its interval is dropped, as by the deployed rule's
 * maximum event age: the next finds the same wake-ups due.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
 */
export const startSchedule = ({ everyMs, atOnce, region, invoke }: ScheduleOptions): { close(): void } => {
  let underWay = 0;
  const tick = (): void => {
    if (underWay >= atOnce) return;
    const event = {
      version: '0',
      id: randomUUID(),
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: '000000000000',
      time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      region,
      resources: [`arn:aws:events:${region}:000000000000:rule/reconcile-cancellations`],
      detail: {},
    };
    underWay += 1;
    const end = (): void => {
      underWay -= 1;
    };
    // A run that fails says so in its log; the next one comes anyway.
    invoke(event).then(end, end);
  };
  tick();
  const timer = setInterval(tick, everyMs);
  return { close: () => clearInterval(timer) };
};
