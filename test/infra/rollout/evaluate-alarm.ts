import * as z from 'zod/mini';

/** What of an alarm's definition says when it changes state, and what a change notifies. */
export const alarmSchema = z.looseObject({
  AlarmName: z.unknown(),
  EvaluationPeriods: z.number(),
  DatapointsToAlarm: z.optional(z.number()),
  Threshold: z.number(),
  ComparisonOperator: z.literal('GreaterThanOrEqualToThreshold'),
  TreatMissingData: z.enum(['breaching', 'notBreaching', 'ignore', 'missing']),
  AlarmActions: z.optional(z.array(z.unknown())),
  OKActions: z.optional(z.array(z.unknown())),
  InsufficientDataActions: z.optional(z.array(z.unknown())),
});
export type AlarmSettings = z.infer<typeof alarmSchema>;
export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** The value of each period, the oldest first: undefined where the metric has none. */
export type History = readonly (number | undefined)[];

/** CloudWatch looks at more periods than it needs, and does not say at how many: in its examples at two more. */
const EXTRA_PERIODS = 2;

/**
 * The state after one evaluation.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
export function evaluateAlarm(alarm: AlarmSettings, history: History, before: AlarmState): AlarmState {
  const needed = alarm.EvaluationPeriods;
  const toAlarm = alarm.DatapointsToAlarm ?? needed;
  const range = history.slice(-(needed + EXTRA_PERIODS));
  const real = range.filter((value) => value !== undefined).map((value) => value >= alarm.Threshold);
  // Enough real points: the most recent ones decide, and how missing data are treated does not matter.
  if (real.length >= needed) return stateOf(real.slice(-needed), toAlarm);
  if (alarm.TreatMissingData === 'breaching' || alarm.TreatMissingData === 'notBreaching') {
    const filled = alarm.TreatMissingData === 'breaching';
    return stateOf([...real, ...Array.from({ length: needed - real.length }, () => filled)], toAlarm);
  }
  if (real.length === 0) return alarm.TreatMissingData === 'missing' ? 'INSUFFICIENT_DATA' : before;
  return isOldEnough(range, alarm, toAlarm) ? 'ALARM' : 'OK';
}

function stateOf(breaches: readonly boolean[], toAlarm: number): AlarmState {
  return breaches.filter(Boolean).length >= toAlarm ? 'ALARM' : 'OK';
}

/** Whether the oldest breach is old enough to alarm, although too few points are there, and nothing since denies it. */
function isOldEnough(range: History, { Threshold }: AlarmSettings, toAlarm: number): boolean {
  const oldest = range.findIndex((value) => value !== undefined && value >= Threshold);
  if (oldest === -1 || range.length - oldest < toAlarm) return false;
  return range.slice(oldest).every((value) => value === undefined || value >= Threshold);
}

/**
 * Every notification that a life sends, from the alarm's creation on: a state notifies only when it is entered.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
export function notificationsOf(alarm: AlarmSettings, history: History): readonly AlarmState[] {
  const actions = { OK: alarm.OKActions, ALARM: alarm.AlarmActions, INSUFFICIENT_DATA: alarm.InsufficientDataActions };
  const sent: AlarmState[] = [];
  let state: AlarmState = 'INSUFFICIENT_DATA';
  for (let now = 0; now <= history.length; now += 1) {
    const next = evaluateAlarm(alarm, history.slice(0, now), state);
    if (next !== state && (actions[next] ?? []).length > 0) sent.push(next);
    state = next;
  }
  return sent;
}
