import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type AlarmDefinition, alarmNameOf, type Severity } from '../../blueprint/alarms.ts';
import type { Environment } from '../../blueprint/environments.ts';
import { addDeadLetterQueue } from '../events/queues.ts';

export interface AlarmsProps {
  readonly environment: Environment;
  readonly definitions: readonly AlarmDefinition[];
}

/** Alarms by severity: a topic each, that the environment's addresses subscribe to. */
export class Alarms extends Construct {
  readonly all: readonly Alarm[];
  /** Those that take a new version back. */
  readonly rollingBack: readonly Alarm[];

  /** Alarms that no mail could be sent for. */
  private readonly unsent: Queue;

  constructor(scope: Construct, id: string, { environment, definitions }: AlarmsProps) {
    super(scope, id);
    this.unsent = addDeadLetterQueue(this, 'Unsent');
    const topics = { page: this.addTopic('page', environment), ticket: this.addTopic('ticket', environment) };
    const alarms = definitions.map(({ title, severity, metric, threshold, periods = 1, alarmsWhenSilent = false }) => {
      const alarm = new Alarm(this, title.replaceAll(/[^A-Za-z0-9]+/g, ''), {
        alarmName: alarmNameOf(environment.name, title),
        alarmDescription: `docs/runbook.md, "${title}"`,
        metric,
        threshold,
        evaluationPeriods: periods,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: alarmsWhenSilent ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      });
      const action = new SnsAction(topics[severity]);
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      return alarm;
    });
    this.all = alarms;
    this.rollingBack = alarms.filter((_, index) => definitions[index]?.rollsBack === true);
  }

  private addTopic(severity: Severity, { name, alarmAddresses }: Environment): Topic {
    const topic = new Topic(this, severity, {
      topicName: `plangrep-cancellation-${name}-${severity}`,
      enforceSSL: true,
    });
    // A topic with a policy of its own has lost the one by which anything in the account may publish.
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
