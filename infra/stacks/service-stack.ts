import { Aws, CfnOutput, Stack, Tags } from 'aws-cdk-lib';
import { EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import type { RolloutOverride } from '../blueprint/rollout/rollout-override.ts';
import { eventDoor } from '../blueprint/bus-events.ts';
import { callbackQueue, callbackSchedule } from '../blueprint/callbacks.ts';
import { deployedConcurrency, neededConcurrency } from '../blueprint/account/concurrency.ts';
import type { Environment } from '../blueprint/environment-schema.ts';
import {
  type EnvironmentVariable,
  type FunctionName,
  reconcilerSchedule,
  retentionVariable,
  sealSchedule,
} from '../blueprint/functions.ts';
import { logReaders } from '../blueprint/streams/log-readers.ts';
import { tagsOf } from '../blueprint/access/table-settings.ts';
import { archiveFolders } from '../blueprint/archive/archive-folders.ts';
import { sealAliasOf } from '../blueprint/archive/archive-policies.ts';
import { tables } from '../blueprint/tables.ts';
import { wakeUpQueue } from '../blueprint/wake-up-queue.ts';
import type { ArchiveStores } from '../constructs/archive/archive-stores.ts';
import { Archiving } from '../constructs/archive/archiving.ts';
import { ApiDomain } from '../constructs/api/api-domain.ts';
import { Firewall } from '../constructs/api/firewall.ts';
import { PartnerApi } from '../constructs/api/partner-api.ts';
import { BundledFunction } from '../constructs/bundled-function.ts';
import { CanaryRollout } from '../constructs/canary-rollout.ts';
import { BusPolicy } from '../constructs/events/bus-policy.ts';
import { Callbacks } from '../constructs/events/callbacks.ts';
import { OutgoingEvents } from '../constructs/events/outgoing-events.ts';
import { EventDoor } from '../constructs/events/event-door.ts';
import { MinuteSchedules } from '../constructs/events/minute-schedules.ts';
import { WakeUps } from '../constructs/events/wake-ups.ts';
import type { Arns } from '../constructs/exact-role.ts';
import { OperatorRoles } from '../constructs/operator-roles.ts';
import { Sandbox } from '../constructs/sandbox.ts';
import { tablesInUse, type TablesInUse, withReplaced } from '../constructs/tables-in-use.ts';
import { Watching } from '../constructs/watching/watching.ts';
import { placeOf, refusePlaceholders } from './refuse-placeholders.ts';
import type { StatefulStack } from './stateful-stack.ts';

export interface ServiceStackProps {
  readonly environment: Environment;
  /** With the tables and the secret that the service uses. */
  readonly stateful: StatefulStack;
  /**
   * Shifts the traffic at once and heeds no alarm, in this deployment.
   * @default - the environment's rollout
   */
  readonly rolloutOverride?: RolloutOverride | undefined;
}

/** Everything that can be deleted and created again: the doors, the functions, and the alarms. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, { environment, stateful, rolloutOverride }: ServiceStackProps) {
    const tags = tagsOf(environment);
    super(scope, id, {
      stackName: `plangrep-cancellation-${environment.name}-service`,
      description: `Plangrep job cancellation, ${environment.name}: doors, functions, alarms`,
      env: placeOf(environment),
      terminationProtection: environment.deletionProtection,
      tags,
    });
    // Template linters do not know a dashboard's tags.
    const excludeResourceTypes = ['AWS::CloudWatch::Dashboard'];
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value, { excludeResourceTypes });

    refusePlaceholders(this, environment);
    const bus = this.busOf(environment);
    const door = new EventDoor(this, 'EventsDoor', { environment, bus });
    const wakeUps = new WakeUps(this, 'WakeUps', { environment: environment.name });
    const callbacks = new Callbacks(this, 'Callbacks', { environment: environment.name });
    const schedule = new MinuteSchedules(this, 'Schedule');
    const outgoingEvents = new OutgoingEvents(this, 'OutgoingEvents');
    const { archive } = stateful;
    const archiving = new Archiving(this, 'Archiving');
    const inUse = tablesInUse(this, environment, stateful);
    const logArn = inUse.tables.CancellationLog.tableArn;
    const variables: Readonly<Record<EnvironmentVariable, string>> = {
      ...variablesOf(inUse, stateful, environment, this.plangrepOf(environment, stateful)),
      EVENTS_DEAD_LETTERS_URL: door.givenUp.queueUrl,
      WAKE_UP_QUEUE_URL: wakeUps.queue.queueUrl,
      CALLBACK_QUEUE_URL: callbacks.queue.queueUrl,
      EVENTBRIDGE_URL: `https://events.${Aws.REGION}.${Aws.URL_SUFFIX}`,
      EVENT_BUS_NAME: bus.eventBusName,
      ARCHIVE_BUCKET: archive.bucket.bucketName,
      SEAL_KEY: sealAliasOf(environment.name),
      SEAL_MARGIN_SECONDS: String(sealSchedule.marginSeconds),
    };
    const tableArns = {
      JobDirectory: inUse.tables.JobDirectory.tableArn,
      CancellationLog: logArn,
      Partners: inUse.tables.Partners.tableArn,
    };
    const wakeUpsArn = `${logArn}/index/${tables.CancellationLog.indexes.wakeUps.name}`;
    const functions = this.addFunctions(environment, variables, {
      ...tableArns,
      WakeUps: wakeUpsArn,
      // The whole ARN, with the six characters that Secrets Manager puts after the name.
      PlangrepKey: stateful.plangrepKey.secretArn,
      CallbackSecret: stateful.callbackSecret.secretArn,
      EventsQueue: door.queue.queueArn,
      EventsGivenUp: door.givenUp.queueArn,
      WakeUpQueue: wakeUps.queue.queueArn,
      CallbackQueue: callbacks.queue.queueArn,
      MissedRuns: schedule.missed.queueArn,
      CancellationLogStream: inUse.logStreamArn,
      EventBus: bus.eventBusArn,
      OutgoingEventsUndelivered: outgoingEvents.undelivered.queueArn,
      ...archiveArns(archive),
      RecordsNotArchived: archiving.undelivered.queueArn,
    });
    const concurrency = deployedConcurrency(environment.concurrency);
    const everyTable = withReplaced(inUse, stateful);
    new OperatorRoles(this, 'OperatorRoles', {
      environment: environment.name,
      arns: {
        ...tableArns,
        WakeUps: wakeUpsArn,
        CallbackSecret: stateful.callbackSecret.secretArn,
        CallbackQueue: callbacks.queue.queueArn,
        CallbacksGivenUp: callbacks.givenUp.queueArn,
        InUseAndReplaced: Object.values(everyTable).flatMap((those) => those.map(({ tableArn }) => tableArn)),
        StatefulStack: stateful.stackId,
      },
    });
    door.deliverTo(functions[eventDoor.function].alias, concurrency.events);
    wakeUps.deliverTo(functions[wakeUpQueue.function].alias, concurrency.wakeUps);
    callbacks.deliverTo(functions[callbackQueue.function].alias, concurrency.callbacks);
    schedule.start('Rule', functions[reconcilerSchedule.function].alias, {
      description: 'Wakes the reconciler',
      ...reconcilerSchedule,
    });
    schedule.start('CallbacksRule', functions[callbackSchedule.function].alias, {
      description: 'Finds callbacks that are due',
      ...callbackSchedule,
    });
    const announcer = functions[logReaders.announce.function];
    outgoingEvents.announceBy(announcer, inUse.logStreamArn);
    archiving.archiveBy(functions[logReaders.archive.function], inUse.logStreamArn);
    archiving.sealBy(functions[sealSchedule.function], schedule.missed);
    new BusPolicy(this, 'BusPolicy', { environment, bus, announcerRoleArn: announcer.roleArn });

    const { api } = new PartnerApi(this, 'PartnerApi', { environment, functions });
    new Firewall(this, 'Firewall', { environment, stage: api.deploymentStage });
    const { domain } = environment;
    if (domain !== undefined) new ApiDomain(this, 'Domain', { domain, api });

    new Watching(this, 'Watching', {
      environment,
      archive,
      api,
      functions,
      tables: everyTable,
      eventsQueue: door.queue,
      wakeUpQueue: wakeUps.queue,
      callbackQueue: callbacks.queue,
      tableNames: Object.fromEntries(Object.entries(inUse.tables).map(([name, { tableName }]) => [name, tableName])),
      deadLetterQueues: {
        EventsGivenUp: door.givenUp,
        EventsUndelivered: door.undelivered,
        OutgoingEventsUndelivered: outgoingEvents.undelivered,
        CallbacksGivenUp: callbacks.givenUp,
        RecordsNotArchived: archiving.undelivered,
        MissedRuns: schedule.missed,
      },
    });
    if (environment.rollout === 'canary') {
      const isOverridden = rolloutOverride !== undefined;
      new CanaryRollout(this, 'Rollout', { environment: environment.name, functions, isOverridden });
    }
    // In the stack's events and in CloudTrail: who went past the alarms, and why.
    if (rolloutOverride !== undefined) new CfnOutput(this, 'RolloutOverride', { value: rolloutOverride.why });
    new CfnOutput(this, 'ApiUrl', { value: domain === undefined ? api.url : `https://${domain.name}/` });
    new CfnOutput(this, 'EventBusName', { value: bus.eventBusName });
    if (concurrency.isReduced) {
      new CfnOutput(this, 'ReservedConcurrency', {
        value: `none: it needs ${neededConcurrency(environment.concurrency)} in the account, see concurrency.account`,
      });
    }
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
      'consume-wake-ups': bundled('consume-wake-ups'),
      'reconcile-cancellations': bundled('reconcile-cancellations'),
      'announce-cancellations': bundled('announce-cancellations'),
      'deliver-callbacks': bundled('deliver-callbacks'),
      'archive-records': bundled('archive-records'),
      'seal-archive': bundled('seal-archive'),
      'read-documentation': bundled('read-documentation'),
      'answer-unknown-route': bundled('answer-unknown-route'),
    };
  }
}

function archiveArns({ bucket, sealKey }: ArchiveStores): Arns {
  return {
    ...Object.fromEntries(
      Object.entries(archiveFolders).map(([part, folder]) => [part, bucket.arnForObjects(`${folder}*`)]),
    ),
    ArchiveBucket: bucket.bucketArn,
    SealKey: sealKey.keyArn,
  };
}

function variablesOf(
  { tables: { JobDirectory, CancellationLog, Partners } }: TablesInUse,
  { plangrepKey, callbackSecret }: StatefulStack,
  { name, retention }: Environment,
  plangrepBaseUrl: string,
) {
  return {
    ENVIRONMENT: name,
    PLANGREP_BASE_URL: plangrepBaseUrl,
    PLANGREP_SECRET_ID: plangrepKey.secretArn,
    CALLBACK_SECRET_ID: callbackSecret.secretArn,
    JOB_DIRECTORY_TABLE: JobDirectory.tableName,
    CANCELLATION_LOG_TABLE: CancellationLog.tableName,
    PARTNERS_TABLE: Partners.tableName,
    EVENTS_MAX_RECEIVES: String(eventDoor.maxReceives),
    RETENTION_DAYS: retentionVariable(retention),
  } satisfies Partial<Record<EnvironmentVariable, string>>;
}
