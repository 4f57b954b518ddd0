import { CfnResource, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  ContributorInsightsMode,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Environment } from '../blueprint/environment-schema.ts';
import type { TablePolicy } from '../blueprint/access/table-policies.ts';
import { settingsOf, tagsOf } from '../blueprint/access/table-settings.ts';
import { ArchiveStores } from '../constructs/archive/archive-stores.ts';
import { type TableDefinition, type TableName, tables } from '../blueprint/tables.ts';
import { placeOf, refusePlaceholders } from './refuse-placeholders.ts';

export interface StatefulStackProps {
  readonly environment: Environment;
}

/**
 * What must outlive every deployment: the tables, Plangrep's key, the secret that callbacks are signed with, and the sealed
 * archive. A separate stack, so that the service can be rolled back, or deleted and created again, without touching any of it.
 *
 * Logical ids are written out: a changed id means a new, empty table, so moving a construct must not change it.
 */
export class StatefulStack extends Stack {
  readonly tables: Readonly<Record<TableName, TableV2>>;
  readonly plangrepKey: Secret;
  readonly callbackSecret: Secret;
  readonly archive: ArchiveStores;
  /** Of the cancellation log. */
  readonly logStreamArn: string;

  constructor(scope: Construct, id: string, { environment }: StatefulStackProps) {
    const tags = tagsOf(environment);
    super(scope, id, {
      stackName: `plangrep-cancellation-${environment.name}-stateful`,
      description: `Plangrep job cancellation, ${environment.name}: the tables and the secrets`,
      env: placeOf(environment),
      terminationProtection: environment.deletionProtection,
      tags,
    });
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value);
    refusePlaceholders(this, environment);

    this.tables = {
      JobDirectory: this.addTable('JobDirectory', environment),
      CancellationLog: this.addTable('CancellationLog', environment),
      Partners: this.addTable('Partners', environment),
    };
    const { tableStreamArn } = this.tables.CancellationLog;
    if (tableStreamArn === undefined) throw new Error('the cancellation log has no stream');
    this.logStreamArn = tableStreamArn;
    // Exported whether the service uses them or not: an export in use cannot be removed, and one that is not there cannot be
    // imported, so the service could neither go to a restored table nor come back.
    for (const { tableName, tableArn } of Object.values(this.tables))
      [tableName, tableArn].map((it) => this.exportValue(it));
    this.exportValue(tableStreamArn);
    this.plangrepKey = this.addPlangrepKey(environment);
    this.callbackSecret = this.addCallbackSecret(environment);
    this.archive = new ArchiveStores(this, 'Archive', environment);
  }

  /**
   * A global table of one region costs the same as a plain table, and accepts a second region without a replacement.
   * CloudFormation chooses its name, so that a restored or replaced table never collides with its predecessor.
   */
  private addTable(name: TableName, environment: Environment): TableV2 {
    const definition: TableDefinition = tables[name];
    const { partition, account, region } = this;
    const place = { partition, account, region };
    const { timeToLive, pointInTimeRecoveryDays, ...settings } = settingsOf(name, environment, place);
    const string = (attribute: string) => ({ name: attribute, type: AttributeType.STRING });
    const table = new TableV2(this, name, {
      partitionKey: string(definition.partitionKey),
      ...(definition.sortKey !== undefined && { sortKey: string(definition.sortKey) }),
      ...(timeToLive !== undefined && { timeToLiveAttribute: timeToLive }),
      ...(definition.indexes !== undefined && {
        globalSecondaryIndexes: Object.values(definition.indexes).map((index) => ({
          indexName: index.name,
          partitionKey: string(index.partitionKey),
          sortKey: string(index.sortKey),
          projectionType: ProjectionType.KEYS_ONLY,
        })),
      }),
      billing: Billing.onDemand(),
      // AWS's key in this account, not DynamoDB's own default key: CloudTrail then shows who used it.
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: pointInTimeRecoveryDays !== undefined,
        ...(pointInTimeRecoveryDays !== undefined && { recoveryPeriodInDays: pointInTimeRecoveryDays }),
      },
      ...(settings.stream !== undefined && { dynamoStream: StreamViewType[settings.stream] }),
      ...(settings.contributorInsights !== undefined && {
        contributorInsightsSpecification: {
          enabled: true,
          mode: ContributorInsightsMode[settings.contributorInsights],
        },
      }),
      resourcePolicy: toDocument(settings.policy),
      deletionProtection: settings.deletionProtection,
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

  /**
   * What every partner's signing secret is made from, so it is made once and then stays: another value changes the secrets of
   * all partners at once, without a time in which both are valid. A partner's own secret is rotated by its version. Encrypted
   * by Secrets Manager's key in the account, which CloudTrail shows the use of.
   *
   * Without a name: nothing that a deleted stack left behind stands in the way of the next one. A change of how the value is
   * generated would make CloudFormation generate another one.
   */
  private addCallbackSecret(environment: Environment): Secret {
    const secret = new Secret(this, 'CallbackSecret', {
      description: "Callbacks are signed with what is made of it. Replacing it changes every partner's signing secret.",
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy:
        environment.removalPolicy === 'retain' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    resourceOf(secret).overrideLogicalId('CallbackSecret');
    return secret;
  }
}

/** Word for word: `ops restore check` compares a table's policy with the same definition. */
function toDocument({ Statement }: TablePolicy): PolicyDocument {
  return new PolicyDocument({ minimize: false, statements: Statement.map((one) => PolicyStatement.fromJson(one)) });
}

function resourceOf(construct: Construct): CfnResource {
  const resource = construct.node.defaultChild;
  if (!CfnResource.isCfnResource(resource)) throw new Error(`${construct.node.path} is not one resource`);
  return resource;
}
