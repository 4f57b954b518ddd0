import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type AlarmDefinition, alarmNameOf, alarms, type Severity } from '../../blueprint/alarms.ts';
import type { Environment } from '../../blueprint/environment-schema.ts';
import { addDeadLetterQueue } from '../events/queues.ts';
import { AuditWatch, type AuditWatchProps } from './audit-watch.ts';
import { Dashboard } from './dashboard.ts';
import { Metrics, type Watched } from './metrics.ts';

export interface WatchingProps extends Watched {
  readonly environment: Environment;
  /** Those in use, and those whose place they took. */
  readonly tables: AuditWatchProps['tables'];
  readonly archive: AuditWatchProps['archive'];
}

/** Metrics from the log lines, the watch over the audit trail, alarms by severity, one dashboard. */
export class Watching extends Construct {
  constructor(scope: Construct, id: string, { environment, tables, archive, ...watched }: WatchingProps) {
    super(scope, id);
    const audit = environment.auditWatch
      ? new AuditWatch(this, 'AuditWatch', { environment, tables, archive })
      : undefined;
    const { name } = environment;
    const metrics = new Metrics(this, 'LogMetrics', { ...watched, environment: name, audit });
    const { all } = new Alarms(this, 'Alarms', { environment, metrics });
    new Dashboard(this, 'Dashboard', { environment: name, metrics, alarms: all });
  }
}

interface AlarmsProps {
  readonly environment: Environment;
  readonly metrics: Metrics;
}

/** Every alarm of infra/blueprint/alarms.ts, and a topic for each severity, which the environment's addresses subscribe to. */
class Alarms extends Construct {
  readonly all: readonly Alarm[];
  /** Notifications that SNS could not deliver. */
  private readonly unsent: Queue;

  constructor(scope: Construct, id: string, { environment, metrics }: AlarmsProps) {
    super(scope, id);
    this.unsent = addDeadLetterQueue(this, 'Unsent');
    const topics = { page: this.addTopic('page', environment), ticket: this.addTopic('ticket', environment) };
    const made = alarms
      .filter(({ needs }) => needs === undefined || environment[needs])
      .map((definition) => ({ definition, alarm: this.addAlarm(definition, environment.name, metrics) }));
    for (const { definition, alarm } of made) {
      const action = new SnsAction(topics[definition.severity]);
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      if (definition.alarmsWhenSilent === true) alarm.addInsufficientDataAction(action);
    }
    this.all = made.map(({ alarm }) => alarm);
  }

  private addAlarm(definition: AlarmDefinition, environment: string, metrics: Metrics): Alarm {
    const { title, metric, threshold, periods = 1, alarmsWhenSilent = false } = definition;
    return new Alarm(this, title.replaceAll(/[^A-Za-z0-9]+/g, ''), {
      alarmName: alarmNameOf(environment, title),
      alarmDescription: `docs/runbook.md, "${title}"`,
      metric: metrics.named(metric),
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // A new alarm begins without data. As `breaching` that would ring in every first deployment; as `missing` it changes
      // no state, and only a silence after data does, which notifies too.
      treatMissingData: alarmsWhenSilent ? TreatMissingData.MISSING : TreatMissingData.NOT_BREACHING,
    });
  }

  private addTopic(severity: Severity, { name, alarmAddresses }: Environment): Topic {
    const topic = new Topic(this, severity, {
      topicName: `plangrep-cancellation-${name}-${severity}`,
      enforceSSL: true,
    });
    // A topic with its own policy loses the default one, by which everything in the account may publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          ArnLike: {
            'aws:SourceArn': Stack.of(this).formatArn({
              service: 'cloudwatch',
              resource: 'alarm',
              resourceName: alarmNameOf(name, '*'),
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
    for (const address of alarmAddresses[severity]) {
      topic.addSubscription(new EmailSubscription(address, { deadLetterQueue: this.unsent }));
    }
    return topic;
  }
}
