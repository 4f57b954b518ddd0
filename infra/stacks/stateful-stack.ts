import { CfnResource, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Environment } from '../blueprint/environment-schema.ts';
import { logWriters, type RoleName, roleNameOf, wakeUpAttributes, wakeUpMovers } from '../blueprint/roles.ts';
import { type TableDefinition, type TableName, tables } from '../blueprint/tables.ts';

export interface StatefulStackProps {
  readonly environment: Environment;
}

/**
 * What must outlive every deployment: the tables and Plangrep's key. A separate stack, so that the service can be rolled
 * back, or deleted and created again, without touching either.
 *
 * Logical ids are written out: a changed id means a new, empty table, so moving a construct must not change it.
 */
export class StatefulStack extends Stack {
  readonly tables: Readonly<Record<TableName, TableV2>>;
  readonly plangrepKey: Secret;
  /** Of the cancellation log. */
  readonly logStreamArn: string;

  constructor(scope: Construct, id: string, { environment }: StatefulStackProps) {
    const tags = { project: 'plangrep-cancellation', environment: environment.name };
    super(scope, id, {
      stackName: `plangrep-cancellation-${environment.name}-stateful`,
      description: `Plangrep job cancellation, ${environment.name}: the tables and the secret`,
      env: { region: environment.region },
      terminationProtection: environment.deletionProtection,
      tags,
    });
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value);

    this.tables = {
      JobDirectory: this.addTable('JobDirectory', environment),
      CancellationLog: this.addTable('CancellationLog', environment),
      Partners: this.addTable('Partners', environment),
    };
    const { tableStreamArn } = this.tables.CancellationLog;
    if (tableStreamArn === undefined) throw new Error('the cancellation log has no stream');
    this.logStreamArn = tableStreamArn;
    this.plangrepKey = this.addPlangrepKey(environment);
  }

  /**
   * A global table of one region costs the same as a plain table, and accepts a second region without a replacement.
   * CloudFormation chooses its name, so that a restored or replaced table never collides with its predecessor.
   */
  private addTable(name: TableName, environment: Environment): TableV2 {
    const definition: TableDefinition = tables[name];
    const string = (attribute: string) => ({ name: attribute, type: AttributeType.STRING });
    const table = new TableV2(this, name, {
      partitionKey: string(definition.partitionKey),
      ...(definition.sortKey !== undefined && { sortKey: string(definition.sortKey) }),
      ...(definition.timeToLive !== undefined && { timeToLiveAttribute: definition.timeToLive }),
      ...(definition.index !== undefined && {
        globalSecondaryIndexes: [
          {
            indexName: definition.index.name,
            partitionKey: string(definition.index.partitionKey),
            sortKey: string(definition.index.sortKey),
            projectionType: ProjectionType.KEYS_ONLY,
          },
        ],
      }),
      billing: Billing.onDemand(),
      // AWS's key in this account, not DynamoDB's own default key: CloudTrail then shows who used it.
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: environment.pointInTimeRecoveryDays !== undefined,
        ...(environment.pointInTimeRecoveryDays !== undefined && {
          recoveryPeriodInDays: environment.pointInTimeRecoveryDays,
        }),
      },
      ...(name === 'CancellationLog' && {
        // For the pipes that announce closed and refused cancellations.
        dynamoStream: StreamViewType.NEW_IMAGE,
        resourcePolicy: logPolicy(this, environment.name),
      }),
      deletionProtection: environment.deletionProtection,
      removalPolicy: environment.removalPolicy === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    resourceOf(table).overrideLogicalId(name);
    return table;
  }

  /**
   * Created empty: an operator puts Plangrep's key in. Until then `GetSecretValue` fails, and the service reports that it
   * has no key. By default `Secret` has CloudFormation generate a random value: the service would send it to Plangrep as
   * the key, and a later change of how it is generated would overwrite the operator's value.
   */
  private addPlangrepKey(environment: Environment): Secret {
    const secret = new Secret(this, 'PlangrepKey', {
      secretName: `plangrep-cancellation/${environment.name}/api-key`,
      description:
        "The organization's Plangrep API key: plain text, or JSON with the field apiKey. Put by an operator.",
      // The name is fixed: a secret that a failed first deployment left behind would block the next one.
      removalPolicy:
        environment.removalPolicy === 'retain' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    const resource = resourceOf(secret);
    resource.addPropertyDeletionOverride('GenerateSecretString');
    resource.overrideLogicalId('PlangrepKey');
    return secret;
  }
}

/**
 * The cancellation log's own policy. It overrides every role, an administrator's too: only this service may write to the
 * log, and no principal may delete from it or change its history. An attacker must remove the policy first, which
 * CloudTrail records. (A transaction needs the permission of each action in it, so the policy denies transactions too.)
 *
 * The policy also denies replication to a second region: when you add one, exempt DynamoDB's service-linked role.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
 */
function logPolicy(stack: Stack, environment: string): PolicyDocument {
  const arnsOf = (roles: readonly RoleName[]) =>
    roles.map((role) =>
      stack.formatArn({ service: 'iam', region: '', resource: 'role', resourceName: roleNameOf(environment, role) }),
    );
  const deny = (
    sid: string,
    actions: readonly string[],
    conditions?: Record<string, Record<string, readonly string[]>>,
  ) =>
    new PolicyStatement({
      sid,
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: [...actions],
      // The policy is part of the table, so it cannot name the table's ARN.
      resources: ['*'],
      ...(conditions !== undefined && { conditions }),
    });
  return new PolicyDocument({
    minimize: false,
    statements: [
      deny('NoDeleteAndNoUnconditionalWrite', [
        'dynamodb:DeleteItem',
        'dynamodb:BatchWriteItem',
        'dynamodb:PartiQLInsert',
        'dynamodb:PartiQLUpdate',
        'dynamodb:PartiQLDelete',
      ]),
      deny('NoUpdateOfHistory', ['dynamodb:UpdateItem'], {
        'ForAnyValue:StringNotEquals': { 'dynamodb:Attributes': wakeUpAttributes },
      }),
      deny('NoUpdateByOthers', ['dynamodb:UpdateItem'], {
        ArnNotEquals: { 'aws:PrincipalArn': arnsOf(wakeUpMovers) },
      }),
      deny('NoWriteByOthers', ['dynamodb:PutItem'], { ArnNotEquals: { 'aws:PrincipalArn': arnsOf(logWriters) } }),
    ],
  });
}

function resourceOf(construct: Construct): CfnResource {
  const resource = construct.node.defaultChild;
  if (!CfnResource.isCfnResource(resource)) throw new Error(`${construct.node.path} is not one resource`);
  return resource;
}
