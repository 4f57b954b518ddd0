import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import { type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FilterPattern, LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { metricNamespaceOf } from '../../blueprint/alarms.ts';
import type { Environment } from '../../blueprint/environment-schema.ts';
import type { OperatorRole } from '../../blueprint/access/operator-roles.ts';
import { deploymentRoleOf, functionsThatMay, rolesInTrail } from '../../blueprint/access/table-policies.ts';
import { type RoleName, roleNameOf } from '../../blueprint/access/roles.ts';
import type { TableName } from '../../blueprint/tables.ts';
import type { ArchiveStores } from '../archive/archive-stores.ts';
import type { TableInUse } from '../tables-in-use.ts';
import { bucketPattern, keyPattern, settingsPattern, trailPattern, writesPattern } from './trail-patterns.ts';

export interface AuditWatchProps {
  readonly environment: Environment;
  /** Those in use, and those whose place they took. */
  readonly tables: Readonly<Record<TableName, readonly TableInUse[]>>;
  /** A bucket in another account is watched there. */
  readonly archive: ArchiveStores;
}

/**
 * Counts what is done to the tables by others than this service, allowed or denied: writes to the cancellation log, writes to
 * the job directory and the partners, and changes of settings, of the archive and its key too. The trail records no write of a function's, which would cost,
 * but those of operators' roles, so that it says who issued a key or erased a text: the metrics leave these out.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
 */
export class AuditWatch extends Construct {
  readonly logAltered: Metric;
  readonly registersAltered: Metric;
  readonly settingsChanged: Metric;
  private readonly logs: LogGroup;
  private readonly environment: string;

  constructor(scope: Construct, id: string, { environment, tables, archive }: AuditWatchProps) {
    super(scope, id);
    const stack = Stack.of(this);
    this.environment = environment.name;
    const trailName = `plangrep-cancellation-${environment.name}`;
    const trailArn = stack.formatArn({ service: 'cloudtrail', resource: 'trail', resourceName: trailName });
    const bucket = this.addBucket(trailArn, stack.account, environment.logRetentionDays);
    this.logs = new LogGroup(this, 'Events', {
      retention: environment.logRetentionDays,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const trail = new CfnTrail(this, 'Trail', {
      trailName,
      isLogging: true,
      isMultiRegionTrail: false,
      includeGlobalServiceEvents: false,
      enableLogFileValidation: true,
      s3BucketName: bucket.bucketName,
      cloudWatchLogsLogGroupArn: this.logs.logGroupArn,
      cloudWatchLogsRoleArn: this.addRole(this.logs).roleArn,
      advancedEventSelectors: this.selectorsFor(tables),
    });
    // CloudTrail writes to the bucket when the trail is created.
    if (bucket.policy !== undefined) trail.node.addDependency(bucket.policy);

    this.logAltered = this.countWrites('CancellationLogAltered', ['CancellationLog'], tables);
    this.registersAltered = this.countWrites('RegistersAltered', ['JobDirectory', 'Partners'], tables);
    const inUse = Object.values(tables).flat();
    const deploymentRole = deploymentRoleOf(stack);
    this.settingsChanged = this.count('SettingsChanged', [
      ...inUse.map(({ tableName }) => settingsPattern(tableName, deploymentRole)),
      trailPattern(trailName, deploymentRole),
      bucketPattern(bucket.bucketName, deploymentRole),
      bucketPattern(archive.bucket.bucketName, deploymentRole),
      keyPattern(archive.sealKey.keyArn, deploymentRole),
    ]);
  }

  /**
   * A trail selects management events by nothing but whether they write. The first copy of them in an account is free.
   * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedEventSelector.html
   */
  private selectorsFor(tables: AuditWatchProps['tables']): CfnTrail.AdvancedEventSelectorProperty[] {
    const writesTo = (names: readonly TableName[]): CfnTrail.AdvancedFieldSelectorProperty[] => [
      { field: 'eventCategory', equalTo: ['Data'] },
      { field: 'resources.type', equalTo: ['AWS::DynamoDB::Table'] },
      { field: 'resources.ARN', equalTo: names.flatMap((name) => tables[name].map(({ tableArn }) => tableArn)) },
      { field: 'readOnly', equalTo: ['false'] },
    ];
    const exceptOf = (
      action: 'dynamodb:PutItem' | 'dynamodb:UpdateItem',
      name: TableName,
      operators: readonly OperatorRole[] = [],
    ) => ({
      field: 'userIdentity.arn',
      notStartsWith: this.sessionsOf([...functionsThatMay(action, name), ...operators]),
    });
    return [
      {
        name: 'Writes to the log by any but the functions that write to it',
        fieldSelectors: [...writesTo(['CancellationLog']), exceptOf('dynamodb:PutItem', 'CancellationLog')],
      },
      {
        name: 'Updates and deletes in the log by any but those that look at wake-ups',
        fieldSelectors: [
          ...writesTo(['CancellationLog']),
          { field: 'eventName', notEquals: ['PutItem'] },
          exceptOf('dynamodb:UpdateItem', 'CancellationLog'),
        ],
      },
      {
        // CloudTrail writes keys down, and a key here has the externalId that an erasure is to remove: the trail would keep it
        // for years. What was erased by whom is on record in the log, whose keys have no text, and the trail has that.
        name: 'Writes to the job directory by any but the functions that write to it and erasures',
        fieldSelectors: [...writesTo(['JobDirectory']), exceptOf('dynamodb:PutItem', 'JobDirectory', ['erase-texts'])],
      },
      // A function's too, which pauses callbacks: it happens rarely.
      { name: 'Writes to the partners table', fieldSelectors: writesTo(['Partners']) },
      {
        name: 'Changes of settings',
        fieldSelectors: [
          { field: 'eventCategory', equalTo: ['Management'] },
          { field: 'readOnly', equalTo: ['false'] },
        ],
      },
    ];
  }

  private sessionsOf(roles: readonly RoleName[]): string[] {
    return roles.map((role) =>
      Stack.of(this).formatArn({
        service: 'sts',
        region: '',
        resource: 'assumed-role',
        resourceName: `${roleNameOf(this.environment, role)}/`,
      }),
    );
  }

  /** Of roles that may not write there, and of principals that have no role. */
  private countWrites(metricName: string, names: readonly TableName[], tables: AuditWatchProps['tables']): Metric {
    return this.count(
      metricName,
      names.flatMap((name) => {
        const roles = rolesInTrail(name).map((role) => roleNameOf(this.environment, role));
        return tables[name].map(({ tableArn }) => writesPattern(tableArn, roles));
      }),
    );
  }

  /** Each pattern has a filter: a pattern has at most 1,024 characters. An event that fits one fits no other. */
  private count(metricName: string, patterns: readonly string[]): Metric {
    const filters = patterns.map(
      (pattern, index) =>
        new MetricFilter(this, `${metricName}${index}`, {
          logGroup: this.logs,
          filterPattern: FilterPattern.literal(pattern),
          metricNamespace: metricNamespaceOf(this.environment),
          metricName,
          metricValue: '1',
        }),
    );
    const [first] = filters;
    if (first === undefined) throw new Error(`${metricName} counts nothing`);
    return first.metric({ statistic: Stats.SUM, period: Duration.minutes(5) });
  }

  /** Evidence: kept when the stack is deleted, and as long as the log group. A key of the job directory may have a text in it. */
  private addBucket(trailArn: string, account: string, keptDays: number): Bucket {
    const bucket = new Bucket(this, 'Evidence', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      versioned: true,
      lifecycleRules: [{ expiration: Duration.days(keptDays), noncurrentVersionExpiration: Duration.days(1) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const allow = (action: string, resource: string, conditions: Readonly<Record<string, string>> = {}) =>
      bucket.addToResourcePolicy(
        new PolicyStatement({
          principals: [new ServicePrincipal('cloudtrail.amazonaws.com')],
          actions: [action],
          resources: [resource],
          conditions: { StringEquals: { 'aws:SourceArn': trailArn, ...conditions } },
        }),
      );
    allow('s3:GetBucketAcl', bucket.bucketArn);
    allow('s3:PutObject', bucket.arnForObjects(`AWSLogs/${account}/*`), {
      's3:x-amz-acl': 'bucket-owner-full-control',
    });
    return bucket;
  }

  private addRole(logs: LogGroup): IRole {
    return new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('cloudtrail.amazonaws.com'),
      inlinePolicies: {
        exactly: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [logs.logGroupArn],
            }),
          ],
        }),
      },
    });
  }
}
