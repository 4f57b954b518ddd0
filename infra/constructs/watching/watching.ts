import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { alarmsOf } from '../../blueprint/alarms.ts';
import type { Environment } from '../../blueprint/environments.ts';
import type { FunctionName } from '../../blueprint/functions.ts';
import { alarmSourcesOf, type Watched } from './alarm-sources.ts';
import { Alarms } from './alarms.ts';
import { AuditWatch } from './audit-watch.ts';
import type { BundledFunction } from '../bundled-function.ts';
import { Dashboard } from './dashboard.ts';
import { LogMetrics } from './log-metrics.ts';

export interface WatchingProps extends Omit<Watched, 'functions' | 'logMetrics' | 'logAltered'> {
  readonly environment: Environment;
  readonly functions: Readonly<Record<FunctionName, BundledFunction>>;
  /** Of the cancellation log. */
  readonly logArn: string;
}

/** Metrics from the log lines, the watch over the audit trail, alarms by severity, one dashboard. */
export class Watching extends Construct {
  /** Those that take a new version back. */
  readonly rollingBack: readonly Alarm[];

  constructor(scope: Construct, id: string, { environment, logArn, ...watched }: WatchingProps) {
    super(scope, id);
    const logMetrics = new LogMetrics(this, 'LogMetrics', {
      environment: environment.name,
      functions: watched.functions,
    });
    const audit = environment.auditWatch
      ? new AuditWatch(this, 'AuditWatch', { environment, tableArn: logArn })
      : undefined;
    const sources = alarmSourcesOf({ ...watched, logMetrics, logAltered: audit?.altered });
    const alarms = new Alarms(this, 'Alarms', { environment, definitions: alarmsOf(sources) });
    this.rollingBack = alarms.rollingBack;
    new Dashboard(this, 'Dashboard', { environment: environment.name, logMetrics, sources, alarms: alarms.all });
  }
}
