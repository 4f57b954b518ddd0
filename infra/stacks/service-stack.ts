import { CfnOutput, Stack, Tags } from 'aws-cdk-lib';
import { EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import { ApiDomain } from '../constructs/api/api-domain.ts';
import { BundledFunction } from '../constructs/bundled-function.ts';
import { CanaryRollout } from '../constructs/canary-rollout.ts';
import { ClosedEvents } from '../constructs/events/closed-events.ts';
import { EventsDoor } from '../constructs/events/events-door.ts';
import type { Arns } from '../constructs/exact-role.ts';
import { Firewall } from '../constructs/api/firewall.ts';
import { PartnerApi } from '../constructs/api/partner-api.ts';
import { ReconcilerSchedule } from '../constructs/events/reconciler-schedule.ts';
import { Sandbox } from '../constructs/sandbox.ts';
import { Watching } from '../constructs/watching/watching.ts';
import type { Environment } from '../blueprint/environments.ts';
import { eventDoor } from '../blueprint/event-door.ts';
import type { EnvironmentVariable, FunctionName } from '../blueprint/functions.ts';
import type { StatefulStack } from './stateful-stack.ts';
import { tables } from '../blueprint/tables.ts';

export interface ServiceStackProps {
  readonly environment: Environment;
  /** Whose tables and secret it works on. */
  readonly stateful: StatefulStack;
}

/** Everything that can be deleted and made again: the doors, the functions, and what watches them. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, { environment, stateful }: ServiceStackProps) {
    const tags = { project: 'plangrep-cancellation', environment: environment.name };
    super(scope, id, {
      stackName: `plangrep-cancellation-${environment.name}-service`,
      description: `Plangrep job cancellation, ${environment.name}: doors, functions, alarms`,
      env: { region: environment.region },
      terminationProtection: environment.deletionProtection,
      tags,
    });
    // A dashboard's tags are too new for the linters of templates.
    const excludeResourceTypes = ['AWS::CloudWatch::Dashboard'];
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value, { excludeResourceTypes });
    const { JobDirectory, CancellationLog, Partners } = stateful.tables;
    const log = { arn: CancellationLog.tableArn, streamArn: stateful.logStreamArn };

    const bus = this.busOf(environment);
    const eventsDoor = new EventsDoor(this, 'EventsDoor', { environment, bus });
    const schedule = new ReconcilerSchedule(this, 'Schedule');
    const plangrepBaseUrl = this.plangrepOf(environment, stateful);
    const functions = this.addFunctions(environment, variablesOf({ ...environment, plangrepBaseUrl }, stateful), {
      JobDirectory: JobDirectory.tableArn,
      CancellationLog: log.arn,
      WakeUps: `${log.arn}/index/${tables.CancellationLog.index.name}`,
      Partners: Partners.tableArn,
      // The whole ARN, with the six characters that Secrets Manager puts after the name.
      PlangrepKey: stateful.plangrepKey.secretArn,
      EventsQueue: eventsDoor.queue.queueArn,
      MissedRuns: schedule.missed.queueArn,
    });
    eventsDoor.deliverTo(functions['consume-events'].alias, environment.concurrency.events);
    schedule.wake(functions['reconcile-cancellations'].alias);
    const closedEvents = new ClosedEvents(this, 'ClosedEvents', { environment, bus, streamArn: log.streamArn });

    const { api } = new PartnerApi(this, 'PartnerApi', { environment, functions });
    new Firewall(this, 'Firewall', { environment, stage: api.deploymentStage });
    const { domain } = environment;
    if (domain !== undefined) new ApiDomain(this, 'Domain', { domain, api });

    const { rollingBack } = new Watching(this, 'Watching', {
      environment,
      api,
      functions,
      logArn: log.arn,
      tableNames: {
        JobDirectory: JobDirectory.tableName,
        CancellationLog: CancellationLog.tableName,
        Partners: Partners.tableName,
      },
      deadLetters: eventsDoor.deadLetters,
      undeliveredEvents: eventsDoor.undelivered,
      undeliveredClosings: closedEvents.undelivered,
      missedRuns: schedule.missed,
    });
    if (environment.rollout === 'canary') {
      new CanaryRollout(this, 'Rollout', { environment: environment.name, functions, alarms: rollingBack });
    }
    new CfnOutput(this, 'ApiUrl', { value: domain === undefined ? api.url : `https://${domain.name}/` });
    new CfnOutput(this, 'EventBusName', { value: bus.eventBusName });
  }

  private busOf({ name, eventBusName }: Environment): IEventBus {
    return eventBusName === undefined
      ? new EventBus(this, 'EventBus', { eventBusName: `plangrep-cancellation-${name}` })
      : EventBus.fromEventBusName(this, 'EventBus', eventBusName);
  }

  private plangrepOf(environment: Environment, { plangrepKey }: StatefulStack): string {
    if (environment.sandbox !== true) return environment.plangrepBaseUrl;
    return new Sandbox(this, 'Sandbox', { environment, plangrepKeyArn: plangrepKey.secretArn }).url;
  }

  private addFunctions(
    environment: Environment,
    variables: Readonly<Record<EnvironmentVariable, string>>,
    arns: Arns,
  ): Readonly<Record<FunctionName, BundledFunction>> {
    const bundled = (name: FunctionName) => new BundledFunction(this, name, { name, environment, variables, arns });
    return {
      'authorize-partner': bundled('authorize-partner'),
      'request-cancellation': bundled('request-cancellation'),
      'read-cancellations': bundled('read-cancellations'),
      'register-job': bundled('register-job'),
      'consume-events': bundled('consume-events'),
      'reconcile-cancellations': bundled('reconcile-cancellations'),
      'read-documentation': bundled('read-documentation'),
    };
  }
}

const variablesOf = (
  { name, plangrepBaseUrl }: Environment,
  { tables: { JobDirectory, CancellationLog, Partners }, plangrepKey }: StatefulStack,
): Readonly<Record<EnvironmentVariable, string>> => ({
  ENVIRONMENT: name,
  PLANGREP_BASE_URL: plangrepBaseUrl,
  PLANGREP_SECRET_ID: plangrepKey.secretArn,
  JOB_DIRECTORY_TABLE: JobDirectory.tableName,
  CANCELLATION_LOG_TABLE: CancellationLog.tableName,
  PARTNERS_TABLE: Partners.tableName,
  EVENTS_MAX_RECEIVES: String(eventDoor.maxReceives),
});
