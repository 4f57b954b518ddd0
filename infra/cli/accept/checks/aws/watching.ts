import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { alarmNameOf, alarms, type MetricName } from '../../../../blueprint/alarms.ts';
import { type Check, fault, holds, same } from '../../check.ts';
import { allInXml, readAws } from '../../read-aws.ts';
import type { AwsStage } from '../../stage.ts';

/** A run causes these itself: it sends malformed events, and asks for a job that Plangrep does not have. */
const causedByRuns: ReadonlySet<MetricName> = new Set(['EventsMalformed', 'EventsGivenUp', 'OwnershipRefused']);
const expectedTitles = new Set(alarms.filter(({ metric }) => causedByRuns.has(metric)).map(({ title }) => title));
const noLetters = ['undelivered', 'outgoing', 'runs', 'alarms'] as const;

type Alarms = { readonly states: ReadonlyMap<string, string> } | { readonly skipped: string };

async function readAlarms(stage: AwsStage): Promise<Alarms> {
  const input = {
    AlarmNamePrefix: alarmNameOf(stage.environment.name, ''),
    'AlarmTypes.member.1': 'MetricAlarm',
    MaxRecords: 100,
  };
  const read = await readAws(stage, 'cloudwatch', 'cloudwatch:DescribeAlarms', { operation: 'DescribeAlarms', input });
  if ('skipped' in read) return read;
  const states = allInXml(read.text, 'StateValue');
  return { states: new Map(allInXml(read.text, 'AlarmName').map((name, index) => [name, states[index] ?? '?'])) };
}

/** What watches over the service. */
export const watchingChecks: readonly Check[] = [
  {
    id: 'watching.alarms',
    shows: 'every alarm of the runbook exists, and no other',
    needs: 'AWS',
    lookAt: 'infra/blueprint/alarms.ts',
    async run(stage) {
      const read = await readAlarms(stage);
      if ('skipped' in read) return read;
      const { environment } = stage;
      const wanted = alarms.filter(({ needs }) => needs === undefined || environment[needs]);
      const names = wanted.map(({ title }) => alarmNameOf(environment.name, title));
      return same('alarms', [...read.states.keys()].toSorted(), names.toSorted());
    },
  },
  {
    id: 'watching.quiet',
    shows: 'no alarm rings, except those that a run of these checks causes itself',
    needs: 'AWS',
    lookAt: 'docs/runbook.md, the section of that name',
    async run(stage) {
      const read = await readAlarms(stage);
      if ('skipped' in read) return read;
      const prefix = alarmNameOf(stage.environment.name, '');
      const ringing = [...read.states]
        .filter(([, state]) => state === 'ALARM')
        .map(([name]) => name.slice(prefix.length));
      return same(
        'alarms that ring',
        ringing.filter((title) => !expectedTitles.has(title)),
        [],
      );
    },
  },
  {
    id: 'watching.dashboard',
    shows: 'the dashboard exists',
    needs: 'AWS',
    lookAt: 'infra/constructs/watching/dashboard.ts',
    async run(stage) {
      const name = `plangrep-cancellation-${stage.environment.name}`;
      const input = { DashboardNamePrefix: name };
      const call = { operation: 'ListDashboards', input };
      const read = await readAws(stage, 'cloudwatch', 'cloudwatch:ListDashboards', call);
      if ('skipped' in read) return read;
      const names = allInXml(read.text, 'DashboardName');
      return holds(names.includes(name), `dashboards ${names.join(', ') || 'none'}`, name);
    },
  },
  {
    id: 'watching.dead-letters',
    shows: 'nothing waits in the queues for what AWS could not deliver',
    needs: 'AWS',
    lookAt: 'npm run ops -- dlq list, docs/runbook.md',
    async run({ place }) {
      const waiting: string[] = [];
      for (const queue of noLetters) {
        const QueueUrl = await place.queueUrl(queue);
        if (QueueUrl === undefined) return fault(`no queue ${queue}`, 'it exists');
        const AttributeNames = ['ApproximateNumberOfMessages' as const];
        const { Attributes } = await place.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
        const messages = Attributes?.ApproximateNumberOfMessages ?? '?';
        if (messages !== '0') waiting.push(`${messages} in ${queue}`);
      }
      return same('messages', waiting, []);
    },
  },
];
