import { CfnResource, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { protectLog } from '../constructs/log-policy.ts';
import type { Environment } from '../blueprint/environments.ts';
import { type TableDefinition, type TableName, tables } from '../blueprint/tables.ts';

export interface StatefulStackProps {
  readonly environment: Environment;
}

/**
 * What must outlive every deployment: the tables and Plangrep's key. A stack of its own, so that the service around it
 * can be rolled back, or deleted and made again, without touching either.
 *
 * Logical ids are written out, since a changed one means a new, empty table: moving a construct must not change it.
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
   * A global table of one region costs what a plain one does, and takes a second region without being replaced.
   * CloudFormation names it: a restored or replaced table then never collides with the one it takes over from.
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
      // AWS's key in this account, not the default one that DynamoDB owns: CloudTrail then shows who used it.
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: environment.pointInTimeRecoveryDays !== undefined,
        ...(environment.pointInTimeRecoveryDays !== undefined && {
          recoveryPeriodInDays: environment.pointInTimeRecoveryDays,
        }),
      },
      ...(name === 'CancellationLog' && {
        // For the pipe that tells of closed cancellations.
        dynamoStream: StreamViewType.NEW_IMAGE,
        resourcePolicy: protectLog(this, environment.name),
      }),
      deletionProtection: environment.deletionProtection,
      removalPolicy: environment.removalPolicy === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    resourceOf(table).overrideLogicalId(name);
    return table;
  }

  /**
   * Made empty: an operator puts Plangrep's key in. Without a value `GetSecretValue` fails, which the service reports as
   * having no key. `Secret` would have CloudFormation generate a random one instead: the service would send that to
   * Plangrep as if it were the key, and a later change to how it is generated would overwrite the operator's.
   */
  private addPlangrepKey(environment: Environment): Secret {
    const secret = new Secret(this, 'PlangrepKey', {
      secretName: `plangrep-cancellation/${environment.name}/api-key`,
      description:
        "The organization's Plangrep API key: plain text, or JSON with the field apiKey. Put by an operator.",
      // The name is fixed, so a first deployment that fails must not leave the secret behind to block the next one.
      removalPolicy:
        environment.removalPolicy === 'retain' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    const resource = resourceOf(secret);
    resource.addPropertyDeletionOverride('GenerateSecretString');
    resource.overrideLogicalId('PlangrepKey');
    return secret;
  }
}

const resourceOf = (construct: Construct): CfnResource => {
  const resource = construct.node.defaultChild;
  if (!CfnResource.isCfnResource(resource)) throw new Error(`${construct.node.path} is not one resource`);
  return resource;
};
