import { randomUUID } from 'node:crypto';

export interface ScheduleOptions {
  readonly everyMs: number;
  readonly region: string;
  readonly invoke: (event: unknown) => Promise<unknown>;
}

/**
 * A scheduled EventBridge rule: invokes at once, then at every interval, whether or not the run before has ended, as an
 * asynchronous invocation does.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
 */
export const startSchedule = ({ everyMs, region, invoke }: ScheduleOptions): { close(): void } => {
  const tick = (): void => {
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
    // A run that fails says so in its log; the next one comes anyway.
    invoke(event).catch(() => undefined);
  };
  tick();
  const timer = setInterval(tick, everyMs);
  return { close: () => clearInterval(timer) };
};
