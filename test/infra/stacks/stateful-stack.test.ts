import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createTableInput } from '../../../infra/local/aws/create-table.ts';
import { type EnvironmentName, environmentNames, environments } from '../../../infra/blueprint/environments.ts';
import { type TableDefinition, tables } from '../../../infra/blueprint/tables.ts';
import { type Resource, root, synthesized } from './synthesized.ts';
import { compileCache } from '../../support/run-command.ts';

const tags = z.array(z.object({ Key: z.string(), Value: z.string() }));

const tableSchema = z.object({
  Type: z.literal('AWS::DynamoDB::GlobalTable'),
  DeletionPolicy: z.string(),
  UpdateReplacePolicy: z.string(),
  Properties: z.object({
    TableName: z.optional(z.string()),
    AttributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.string() })),
    KeySchema: z.array(z.object({ AttributeName: z.string(), KeyType: z.string() })),
    GlobalSecondaryIndexes: z.optional(z.array(z.unknown())),
    BillingMode: z.string(),
    SSESpecification: z.unknown(),
    TimeToLiveSpecification: z.optional(z.unknown()),
    StreamSpecification: z.optional(z.unknown()),
    Replicas: z.tuple([
      z.object({
        Region: z.string(),
        DeletionProtectionEnabled: z.boolean(),
        PointInTimeRecoverySpecification: z.unknown(),
        ContributorInsightsSpecification: z.optional(z.unknown()),
        GlobalSecondaryIndexes: z.optional(z.unknown()),
        Tags: tags,
      }),
    ]),
  }),
});

const secretSchema = z.object({
  Type: z.literal('AWS::SecretsManager::Secret'),
  DeletionPolicy: z.string(),
  UpdateReplacePolicy: z.string(),
  /** Loose, so that every other property is checked too: a value could come in by any of them. */
  Properties: z.looseObject({ Name: z.optional(z.string()) }),
});

const resourcesSchema = z.record(z.string(), z.discriminatedUnion('Type', [tableSchema, secretSchema]));
type Resources = z.infer<typeof resourcesSchema>;

const outdir = mkdtempSync(join(tmpdir(), 'stateful-stack-'));
afterAll(() => rmSync(outdir, { recursive: true, force: true }));

const synthesize = (name: EnvironmentName) => {
  const { artifact } = synthesized(name);
  const { kept, archive } = Object.groupBy(Object.entries<Resource>(synthesized(name).stateful), ([id]) =>
    /^(Archive|SealKey)/.test(id) ? 'archive' : 'kept',
  );
  return {
    artifact,
    /** Without those of the archive. */
    resources: resourcesSchema.parse(Object.fromEntries(kept ?? [])),
    archive: Object.fromEntries(archive ?? []),
  };
};

const tableIn = (resources: Resources, logicalId: string) => tableSchema.parse(resources[logicalId]);
const secretIn = (resources: Resources, logicalId: string) => secretSchema.parse(resources[logicalId]);
const secretNames = ['PlangrepKey', 'CallbackSecret'];

/** DynamoDB gives the order of attribute definitions no meaning. */
const byName = (attributes: readonly { readonly AttributeName?: string | undefined }[] = []) =>
  attributes.toSorted((a, b) => String(a.AttributeName).localeCompare(String(b.AttributeName)));

const tableNames = Object.keys(tables);
const definitions: readonly (readonly [string, TableDefinition])[] = Object.entries(tables);
const production = environmentNames.filter((name) => name !== 'dev');

describe.each(environmentNames)('the stateful stack of %s', (name) => {
  const environment = environments[name];
  const { artifact, resources, archive } = synthesize(name);
  const tableOf = (table: string) => tableIn(resources, table).Properties;

  // A change of this list means that CloudFormation replaces a table, or a secret, by an empty one.
  test('holds these resources, by logical id, with these properties that only a replacement can change', () => {
    const identities = Object.fromEntries(
      Object.entries(resources).map(([logicalId, resource]) => [
        logicalId,
        resource.Type === 'AWS::SecretsManager::Secret'
          ? { type: resource.Type, name: resource.Properties.Name }
          : {
              type: resource.Type,
              name: resource.Properties.TableName,
              keys: resource.Properties.KeySchema.map((key) => key.AttributeName),
            },
      ]),
    );

    // No name: CloudFormation gives one.
    expect(identities).toEqual({
      JobDirectory: { type: 'AWS::DynamoDB::GlobalTable', keys: ['pk', 'sk'] },
      CancellationLog: { type: 'AWS::DynamoDB::GlobalTable', keys: ['pk', 'sk'] },
      Partners: { type: 'AWS::DynamoDB::GlobalTable', keys: ['pk'] },
      PlangrepKey: { type: 'AWS::SecretsManager::Secret', name: `plangrep-cancellation/${name}/api-key` },
      CallbackSecret: { type: 'AWS::SecretsManager::Secret' },
    });
    expect(artifact.stackName).toBe(`plangrep-cancellation-${name}-stateful`);
  });

  test('holds the sealed archive, which stays when the stack goes', () => {
    const identities = Object.entries(archive).map(([id, { Type }]) => `${id.replace(/[0-9A-F]{8}$/, '')} ${Type}`);

    expect(identities.toSorted()).toEqual([
      'ArchiveAlias AWS::KMS::Alias',
      'ArchiveBucket AWS::S3::Bucket',
      'ArchiveBucketPolicy AWS::S3::BucketPolicy',
      'SealKey1 AWS::KMS::Key',
    ]);
    const { lock, lockedDays } = environment.archive;
    expect(archive['ArchiveBucket']).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        ObjectLockEnabled: true,
        ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: lock.toUpperCase(), Days: lockedDays } } },
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
      },
    });
    expect(archive['SealKey1']).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
    });
    expect(lock).toBe(name === 'prod' ? 'compliance' : 'governance');
  });

  test('has every table of infra/blueprint/tables.ts and no other', () => {
    const made = Object.keys(resources).filter((id) => resources[id]?.Type === 'AWS::DynamoDB::GlobalTable');

    expect(made.toSorted()).toEqual(tableNames.toSorted());
  });

  test.each(definitions)('makes %s with the keys and the indexes of infra/blueprint/tables.ts', (table, definition) => {
    const { partitionKey, sortKey, timeToLive, indexes } = definition;
    const schema = (hash: string, range?: string) => [
      { AttributeName: hash, KeyType: 'HASH' },
      ...(range === undefined ? [] : [{ AttributeName: range, KeyType: 'RANGE' }]),
    ];

    const properties = tableOf(table);

    expect(properties.KeySchema).toEqual(schema(partitionKey, sortKey));
    expect(properties.GlobalSecondaryIndexes).toEqual(
      indexes &&
        Object.values(indexes).map((index) => ({
          IndexName: index.name,
          KeySchema: schema(index.partitionKey, index.sortKey),
          Projection: { ProjectionType: 'KEYS_ONLY' },
        })),
    );
    expect(properties.TimeToLiveSpecification).toEqual(timeToLive && { AttributeName: timeToLive, Enabled: true });
  });

  test.each(definitions)('makes %s as the local run does', (table, definition) => {
    const local = createTableInput('local', definition);
    const deployed = tableOf(table);

    expect(byName(local.AttributeDefinitions)).toEqual(byName(deployed.AttributeDefinitions));
    expect(local.KeySchema).toEqual(deployed.KeySchema);
    expect(local.GlobalSecondaryIndexes).toEqual(deployed.GlobalSecondaryIndexes);
    expect(local.BillingMode).toBe(deployed.BillingMode);
    expect(local.BillingMode).toBe('PAY_PER_REQUEST');
  });

  test.each(tableNames)("encrypts %s under a key of the account's, in the one region, tagged", (table) => {
    const { SSESpecification, Replicas } = tableOf(table);

    expect(SSESpecification).toEqual({ SSEEnabled: true, SSEType: 'KMS' });
    expect(Replicas[0].Region).toBe(environment.region);
    expect(Replicas[0].Tags).toEqual([
      { Key: 'environment', Value: name },
      { Key: 'project', Value: 'plangrep-cancellation' },
    ]);
  });

  test('streams only the cancellation log, with the old image: it shows a record that was rewritten', () => {
    const streams = tableNames.map((table) => [table, tableOf(table).StreamSpecification]);

    expect(Object.fromEntries(streams)).toEqual({
      JobDirectory: undefined,
      CancellationLog: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      Partners: undefined,
    });
  });

  test('names throttled keys, but for the table whose keys hold what partners wrote', () => {
    const insights = tableNames.map((table) => [table, tableOf(table).Replicas[0].ContributorInsightsSpecification]);
    const throttledKeys = { Enabled: true, Mode: 'THROTTLED_KEYS' };

    expect(Object.fromEntries(insights)).toEqual({
      JobDirectory: undefined,
      CancellationLog: throttledKeys,
      Partners: throttledKeys,
    });
    const indexes = ['due-wake-ups', 'requests'];
    expect(tableOf('CancellationLog').Replicas[0].GlobalSecondaryIndexes).toEqual(
      indexes.map((IndexName) => ({ IndexName, ContributorInsightsSpecification: throttledKeys })),
    );
  });

  // Another line here makes CloudFormation generate another value, which changes every partner's signing secret.
  test("has Secrets Manager make the callbacks' secret, of 64 letters and digits", () => {
    expect(secretIn(resources, 'CallbackSecret').Properties['GenerateSecretString']).toEqual({
      PasswordLength: 64,
      ExcludePunctuation: true,
    });
  });

  test("creates Plangrep's key empty: the template neither holds nor overwrites the operator's value", () => {
    expect(Object.keys(secretIn(resources, 'PlangrepKey').Properties).toSorted()).toEqual([
      'Description',
      'Name',
      'Tags',
    ]);
    expect(JSON.stringify(artifact.template)).not.toMatch(/"SecretString"|\{\{resolve:/);
  });

  test('needs neither account nor credentials to be synthesized', () => {
    expect(artifact.environment.account).toBe('unknown-account');
    expect(artifact.environment.region).toBe(environment.region);
    expect(artifact.assembly.manifest.missing).toBeUndefined();
  });
});

describe.each(production)('outside dev, %s', (name) => {
  const { artifact, resources } = synthesize(name);

  test.each(tableNames)('protects %s from deletion, restores it to any second, and retains it', (table) => {
    const resource = tableIn(resources, table);

    expect(resource.Properties.Replicas[0]).toMatchObject({
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: {
        PointInTimeRecoveryEnabled: true,
        RecoveryPeriodInDays: environments[name].pointInTimeRecoveryDays,
      },
    });
    expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  test.each(secretNames)('retains %s, unless its creation is rolled back', (secret) => {
    expect(secretIn(resources, secret)).toMatchObject({
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('is protected from being deleted as a whole', () => {
    expect(artifact.terminationProtection).toBe(true);
  });
});

describe('dev', () => {
  const { artifact, resources } = synthesize('dev');

  test('can be destroyed completely and deployed again', () => {
    expect(artifact.terminationProtection).not.toBe(true);
    for (const resource of Object.values(resources)) expect(resource.DeletionPolicy).toBe('Delete');
    for (const table of tableNames) {
      expect(tableIn(resources, table).Properties.Replicas[0].DeletionProtectionEnabled).toBe(false);
    }
  });
});

describe('choosing the environment', () => {
  const { context: flags } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
  const synth = (context: Record<string, unknown>, directory: string) =>
    spawnSync(process.execPath, ['infra/app.ts'], {
      cwd: root,
      encoding: 'utf8',
      env: {
        CDK_CONTEXT_JSON: JSON.stringify({ ...flags, ...context }),
        CDK_OUTDIR: join(outdir, directory),
        CDK_VALIDATION: 'false', // A test of the checks validates the same templates.
        ...compileCache,
      },
    });

  test.each([
    { context: {}, message: 'No environment chosen' },
    { context: { environment: 'production' }, message: 'Unknown environment "production"' },
    { context: { environment: 'toString' }, message: 'Unknown environment "toString"' },
  ])('answers $context with one line and a failure', ({ context, message }) => {
    const { status, stderr, stdout } = synth(context, 'refused');

    expect(stderr).toBe(`${message}: pass one of dev, staging, prod, as -c environment=dev\n`);
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });

  test('synthesizes the chosen one', () => {
    const { status, stderr } = synth({ environment: 'staging' }, 'chosen');

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const template = JSON.parse(readFileSync(join(outdir, 'chosen/Stateful.template.json'), 'utf8'));
    expect(template).toHaveProperty('Resources.PlangrepKey.Properties.Name', 'plangrep-cancellation/staging/api-key');
  });
});
