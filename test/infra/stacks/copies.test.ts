import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { compileCache } from '../../support/run-command.ts';
import { sandboxFunctionNames } from '../../../infra/blueprint/functions.ts';
import { type RoleName, roleNames } from '../../../infra/blueprint/access/roles.ts';
import { ofType, oneOf, type Resources, root, synthesized } from './synthesized.ts';

const isOfSandbox = (name: RoleName): boolean => sandboxFunctionNames.some((one) => one === name);

const outdir = mkdtempSync(join(tmpdir(), 'copies-'));
const { context: flags } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
/** As an administrator does it, with cdk-nag's checks. */
const synth = (copies: string, environment = 'prod') =>
  spawnSync(process.execPath, ['infra/app.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: {
      CDK_CONTEXT_JSON: JSON.stringify({ ...flags, environment, copies }),
      CDK_OUTDIR: join(outdir, environment),
      ...compileCache,
    },
  });
const schema = z.object({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()) })),
});
const resourcesOf = (stack: string, environment = 'prod'): Resources =>
  schema.parse(JSON.parse(readFileSync(join(outdir, environment, `${stack}.template.json`), 'utf8'))).Resources;

test('-c copies=<region> makes a vault there, and nightly backups that are copied to it', () => {
  const { status, stderr } = synth('eu-west-1');
  const [copies, backups] = [resourcesOf('Copies'), resourcesOf('Backups')];

  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(oneOf(copies, 'AWS::Backup::BackupVault')).toMatchObject({ BackupVaultName: 'plangrep-cancellation-prod' });
  expect(oneOf(backups, 'AWS::Backup::BackupPlan')).toMatchObject({
    BackupPlan: {
      BackupPlanRule: [
        {
          ScheduleExpression: expect.stringMatching(/^cron\(0 2 /),
          CopyActions: [
            {
              DestinationBackupVaultArn: {
                'Fn::Join': [
                  '',
                  ['arn:aws:backup:eu-west-1:', { Ref: 'AWS::AccountId' }, ':backup-vault:plangrep-cancellation-prod'],
                ],
              },
              Lifecycle: { DeleteAfterDays: 35 },
            },
          ],
        },
      ],
    },
  });
});

test('no principal can delete a copy before its time, and the vaults outlive their stacks', () => {
  for (const stack of ['Copies', 'Backups']) {
    const vault = Object.values(resourcesOf(stack)).find(({ Type }) => Type === 'AWS::Backup::BackupVault');

    expect(vault).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        AccessPolicy: {
          Statement: [
            {
              Effect: 'Deny',
              Principal: { AWS: '*' },
              Action: expect.arrayContaining(['backup:DeleteRecoveryPoint', 'backup:UpdateRecoveryPointLifecycle']),
            },
          ],
        },
      },
    });
  }
});

test("tables are chosen by the service's tags, so a restored one is among them once it is prepared", () => {
  expect(oneOf(resourcesOf('Backups'), 'AWS::Backup::BackupSelection')).toMatchObject({
    BackupSelection: {
      Conditions: {
        StringEquals: expect.arrayContaining([
          { ConditionKey: 'aws:ResourceTag/project', ConditionValue: 'plangrep-cancellation' },
          { ConditionKey: 'aws:ResourceTag/environment', ConditionValue: 'prod' },
        ]),
      },
    },
  });
});

test('a copy that fails is mailed to those who get tickets', () => {
  const backups = resourcesOf('Backups');

  expect(oneOf(backups, 'AWS::Events::Rule')).toMatchObject({
    EventPattern: {
      source: ['aws.backup'],
      'detail-type': ['Backup Job State Change', 'Copy Job State Change'],
      detail: { state: expect.arrayContaining(['FAILED']) },
    },
  });
  expect(ofType(backups, 'AWS::SNS::Subscription').map(([, { Protocol }]) => Protocol)).toEqual(['email']);
});

test.each(['eu-central-1', 'the moon'])('answers %s as the second region with one line', (region) => {
  const { status, stderr } = synth(region, 'staging');

  expect(stderr).toBe("-c copies must be a region other than the environment's, such as eu-west-1.\n");
  expect(status).toBe(1);
});

test('the runbook removes exactly the roles that the service stack of the new region makes again', () => {
  const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8');
  const [, listed = ''] = /^ *for role in ([a-z -]+); do$/m.exec(runbook) ?? [];
  const roles = roleNames.filter((name) => !isOfSandbox(name));

  expect(listed.split(' ').toSorted()).toEqual(roles.toSorted());
  // Each role has one inline policy, of this name.
  expect(runbook).toContain('--policy-name exactly');
  expect(Object.keys(oneOf(synthesized('prod').service, 'AWS::IAM::Role', 'requestcancellation'))).not.toContain(
    'ManagedPolicyArns',
  );
});
