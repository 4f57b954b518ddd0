import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import { type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FilterPattern, LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { metricNamespaceOf } from '../../blueprint/alarms.ts';
import type { Environment } from '../../blueprint/environment-schema.ts';
import { logWriters, type RoleName, roleNameOf, wakeUpMovers } from '../../blueprint/roles.ts';

export interface AuditWatchProps {
  readonly environment: Environment;
  /** Of the cancellation log, and of the one whose place it took. */
  readonly tableArns: readonly string[];
}

/**
 * Counts every write to the cancellation log by anyone but this service, allowed or denied. The trail records only those,
 * without management events, so that the service's own writes cost nothing.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
 */
export class AuditWatch extends Construct {
  readonly altered: Metric;

  constructor(scope: Construct, id: string, { environment, tableArns }: AuditWatchProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const trailName = `plangrep-cancellation-${environment.name}`;
    const trailArn = stack.formatArn({ service: 'cloudtrail', resource: 'trail', resourceName: trailName });
    const bucket = this.addBucket(trailArn, stack.account);
    const logs = new LogGroup(this, 'Events', {
      retention: environment.logRetentionDays,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const sessionsOf = (roles: readonly RoleName[]) =>
      roles.map((role) =>
        stack.formatArn({
          service: 'sts',
          region: '',
          resource: 'assumed-role',
          resourceName: `${roleNameOf(environment.name, role)}/`,
        }),
      );
    const onTheLog = [
      { field: 'eventCategory', equalTo: ['Data'] },
      { field: 'resources.type', equalTo: ['AWS::DynamoDB::Table'] },
      { field: 'resources.ARN', equalTo: [...tableArns] },
      { field: 'readOnly', equalTo: ['false'] },
    ];
    const trail = new CfnTrail(this, 'Trail', {
      trailName,
      isLogging: true,
      isMultiRegionTrail: false,
      includeGlobalServiceEvents: false,
      enableLogFileValidation: true,
      s3BucketName: bucket.bucketName,
      cloudWatchLogsLogGroupArn: logs.logGroupArn,
      cloudWatchLogsRoleArn: this.addRole(logs).roleArn,
      advancedEventSelectors: [
        {
          name: 'Writes by anyone else',
          fieldSelectors: [...onTheLog, { field: 'userIdentity.arn', notStartsWith: sessionsOf(logWriters) }],
        },
        {
          name: 'Updates and deletes by any but those that look at wake-ups',
          fieldSelectors: [
            ...onTheLog,
            { field: 'eventName', notEquals: ['PutItem'] },
            { field: 'userIdentity.arn', notStartsWith: sessionsOf(wakeUpMovers) },
          ],
        },
      ],
    });
    // CloudTrail writes to the bucket when the trail is created.
    if (bucket.policy !== undefined) trail.node.addDependency(bucket.policy);
    const filter = new MetricFilter(this, 'Altered', {
      logGroup: logs,
      filterPattern: FilterPattern.literal('{ $.eventSource = "dynamodb.amazonaws.com" }'),
      metricNamespace: metricNamespaceOf(environment.name),
      metricName: 'CancellationLogAltered',
      metricValue: '1',
    });
    this.altered = filter.metric({ statistic: Stats.SUM, period: Duration.minutes(5) });
  }

  /** Evidence: kept when the stack is deleted. */
  private addBucket(trailArn: string, account: string): Bucket {
    const bucket = new Bucket(this, 'Evidence', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      versioned: true,
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
