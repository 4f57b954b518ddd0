import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { BackupPlan, BackupPlanRule, BackupVault, CfnBackupSelection } from 'aws-cdk-lib/aws-backup';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Environment } from '../blueprint/environment-schema.ts';
import { tagsOf } from '../blueprint/access/table-settings.ts';
import { addDeadLetterQueue } from '../constructs/events/queues.ts';
import { placeOf, refusePlaceholders } from './refuse-placeholders.ts';

/** In the second region, where they are for when the first one is down. */
const COPIES_KEPT_DAYS = 35;
/** In the first region, which has point-in-time recovery: only to be copied. */
const BACKUPS_KEPT_DAYS = 7;

/** @returns undefined for anything but a region other than the environment's */
export function readCopiesRegion(value: unknown, { region }: Pick<Environment, 'region'>): string | undefined {
  const isRegion = typeof value === 'string' && /^[a-z]{2}(-[a-z]+)+-\d$/.test(value);
  return isRegion && value !== region ? value : undefined;
}

export interface CopiesProps {
  readonly environment: Environment;
  /** The second one. */
  readonly region: string;
}

/**
 * The vault in a second region that the copies of the tables go to, and the role that restores them there. An administrator
 * deploys it once, with `-c copies=<region>`, and after it {@link BackupsStack}.
 */
export class CopiesStack extends Stack {
  constructor(scope: Construct, id: string, { environment, region }: CopiesProps) {
    super(scope, id, {
      stackName: `plangrep-cancellation-${environment.name}-copies`,
      description: `Plangrep job cancellation, ${environment.name}: copies of the tables from ${environment.region}`,
      env: { ...placeOf(environment), region },
      terminationProtection: environment.deletionProtection,
      tags: tagsOf(environment),
    });
    addVault(this, environment);
    new Role(this, 'RestoreRole', {
      roleName: `plangrep-cancellation-${environment.name}-restore-copies`,
      assumedBy: new ServicePrincipal('backup.amazonaws.com'),
      managedPolicies: [managedPolicy('Restores')],
    });
  }
}

/**
 * A backup of every table each night, copied to the second region. Tables are chosen by their tags, so a restored table is
 * among them as soon as it is prepared. What fails is mailed to the environment's `ticket` addresses.
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/advanced-ddb-backup.html a setting of the account, which copies need
 */
export class BackupsStack extends Stack {
  constructor(scope: Construct, id: string, { environment, region }: CopiesProps) {
    super(scope, id, {
      stackName: `plangrep-cancellation-${environment.name}-backups`,
      description: `Plangrep job cancellation, ${environment.name}: nightly backups of the tables, copied to a second region`,
      env: placeOf(environment),
      terminationProtection: environment.deletionProtection,
      tags: tagsOf(environment),
    });
    refusePlaceholders(this, environment);
    // By its name: no stack can refer to a resource in another region.
    const copies = this.formatArn({
      service: 'backup',
      region,
      resource: 'backup-vault',
      resourceName: vaultName(environment),
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const plan = new BackupPlan(this, 'Plan', { backupPlanName: `plangrep-cancellation-${environment.name}` });
    plan.addRule(
      new BackupPlanRule({
        ruleName: 'nightly',
        backupVault: addVault(this, environment),
        scheduleExpression: Schedule.cron({ hour: '2', minute: '0' }),
        startWindow: Duration.hours(1),
        completionWindow: Duration.hours(6),
        deleteAfter: Duration.days(BACKUPS_KEPT_DAYS),
        copyActions: [
          {
            destinationBackupVault: BackupVault.fromBackupVaultArn(this, 'Copies', copies),
            deleteAfter: Duration.days(COPIES_KEPT_DAYS),
          },
        ],
      }),
    );
    this.select(plan);
    this.reportFailures(environment);
  }

  /** The tables with the service's tags. */
  private select(plan: BackupPlan): void {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('backup.amazonaws.com'),
      managedPolicies: [managedPolicy('Backup')],
    });
    new CfnBackupSelection(this, 'Tables', {
      backupPlanId: plan.backupPlanId,
      backupSelection: {
        selectionName: 'tables',
        iamRoleArn: role.roleArn,
        resources: [this.formatArn({ service: 'dynamodb', resource: 'table', resourceName: '*' })],
        conditions: {
          StringEquals: Object.entries(this.tags.tagValues()).map(([key, value]) => ({
            ConditionKey: `aws:ResourceTag/${key}`,
            ConditionValue: value,
          })),
        },
      },
    });
  }

  /** @see https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html */
  private reportFailures({ name, alarmAddresses }: Environment): void {
    const topic = new Topic(this, 'Failures', {
      topicName: `plangrep-cancellation-${name}-backups`,
      enforceSSL: true,
    });
    const unsent = addDeadLetterQueue(this, 'Unsent');
    for (const address of alarmAddresses.ticket) {
      topic.addSubscription(new EmailSubscription(address, { deadLetterQueue: unsent }));
    }
    new Rule(this, 'Failed', {
      description: `A backup or a copy failed, ${name}`,
      eventPattern: {
        source: ['aws.backup'],
        detailType: ['Backup Job State Change', 'Copy Job State Change'],
        detail: { state: ['FAILED', 'EXPIRED', 'ABORTED'] },
      },
      targets: [
        new SnsTopic(topic, {
          message: RuleTargetInput.fromText(
            `A nightly backup of plangrep-cancellation-${name} or its copy failed: docs/runbook.md, "The region is down".`,
          ),
          deadLetterQueue: addDeadLetterQueue(this, 'Undelivered'),
        }),
      ],
    });
  }
}

/** Evidence: kept when the stack is deleted, and no principal may delete what is in it before its time. */
function addVault(scope: Stack, environment: Environment): BackupVault {
  return new BackupVault(scope, 'Vault', {
    backupVaultName: vaultName(environment),
    blockRecoveryPointDeletion: true,
    removalPolicy: environment.removalPolicy === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
}

function vaultName({ name }: Environment): string {
  return `plangrep-cancellation-${name}`;
}

function managedPolicy(what: 'Backup' | 'Restores') {
  return ManagedPolicy.fromAwsManagedPolicyName(`service-role/AWSBackupServiceRolePolicyFor${what}`);
}
