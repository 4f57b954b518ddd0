import { describe, expect, test } from 'vitest';
import { alarmNameOf, alarms } from '../../../infra/blueprint/alarms.ts';
import { environmentNames } from '../../../infra/blueprint/environments.ts';
import { type AlarmSettings, alarmSchema, evaluateAlarm, type History, notificationsOf } from './evaluate-alarm.ts';
import { ofType, synthesized } from '../stacks/synthesized.ts';

const nothing: History = Array.from({ length: 60 }, () => undefined);
const zeros: History = Array.from({ length: 60 }, () => 0);

describe.each(environmentNames)('in %s', (name) => {
  const { service } = synthesized(name);
  const all = ofType(service, 'AWS::CloudWatch::Alarm').map(([id, alarm]) => ({ id, ...alarmSchema.parse(alarm) }));
  const called = (title: string) => all.find(({ AlarmName }) => AlarmName === alarmNameOf(name, title));

  test.each(all)('$id notifies of no trouble while nothing has happened yet', (alarm) => {
    for (const life of [nothing, zeros, [...nothing.slice(0, 3), ...zeros], [...zeros.slice(0, 3), 0]]) {
      expect(notificationsOf(alarm, life).filter((state) => state !== 'OK')).toEqual([]);
    }
  });

  test('an alarm that may be silent for ever is OK', () => {
    const silent = alarms.filter(({ alarmsWhenSilent }) => alarmsWhenSilent === true).map(({ title }) => title);
    const quiet = all.filter(({ AlarmName }) => !silent.some((title) => AlarmName === alarmNameOf(name, title)));

    for (const alarm of quiet) expect(evaluateAlarm(alarm, nothing, 'INSUFFICIENT_DATA')).toBe('OK');
    expect(all.length - quiet.length).toBe(2);
  });

  test('a reconciler that reported and then reports nothing notifies within 25 minutes, and when it is back', () => {
    const alarm = called('Wake-ups overdue');
    const fiveMinutes: History = [undefined, 0, 0, 0];
    if (alarm === undefined) throw new Error('no such alarm');

    expect(notificationsOf(alarm, fiveMinutes)).toEqual(['OK']);
    expect(notificationsOf(alarm, [...fiveMinutes, ...nothing.slice(0, 4)])).toEqual(['OK', 'INSUFFICIENT_DATA']);
    expect(notificationsOf(alarm, [...fiveMinutes, ...nothing.slice(0, 4), 0, 0]).at(-1)).toBe('OK');
    expect(notificationsOf(alarm, [...fiveMinutes, 400_000, 400_000]).at(-1)).toBe('ALARM');
  });
});

// Without this, nothing above would show that a wrong definition is found.
describe('the documented examples of missing data', () => {
  const [x, o, none] = [1, 0, undefined];
  const alarm = (TreatMissingData: AlarmSettings['TreatMissingData']): AlarmSettings => ({
    AlarmName: '3 of 3',
    EvaluationPeriods: 3,
    Threshold: 1,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    TreatMissingData,
    AlarmActions: ['topic'],
  });

  test.each<[string, History, AlarmSettings['TreatMissingData'], string]>([
    ['0 - X - X', [o, none, x, none, x], 'breaching', 'OK'],
    ['0 - - - -', [o, none, none, none, none], 'breaching', 'OK'],
    ['- - - - -', [none, none, none, none, none], 'breaching', 'ALARM'],
    ['- - - - -', [none, none, none, none, none], 'notBreaching', 'OK'],
    ['- - - - -', [none, none, none, none, none], 'missing', 'INSUFFICIENT_DATA'],
    ['0 X X - X', [o, x, x, none, x], 'notBreaching', 'ALARM'],
    ['- - X - -', [none, none, x, none, none], 'missing', 'ALARM'],
    ['- - X - -', [none, none, x, none, none], 'notBreaching', 'OK'],
    ['- - - - X', [none, none, none, none, x], 'missing', 'OK'],
  ])('%s', (_, history, treatment, state) => {
    expect(evaluateAlarm(alarm(treatment), history, 'OK')).toBe(state);
  });

  test('an alarm that takes missing data as breaching pages in every first deployment', () => {
    expect(notificationsOf(alarm('breaching'), nothing)).toEqual(['ALARM']);
  });
});
