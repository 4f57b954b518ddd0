import { describe, expect, test } from 'vitest';
import { preflightPermissions } from '../../../infra/blueprint/account/preflight-permissions.ts';
import { environmentNames } from '../../../infra/blueprint/environments.ts';
import { readGitHubRepository } from '../../../infra/stacks/github-roles-stack.ts';
import { repository, rolesIn, synthesizeRoles } from './github-roles.ts';
import { listOf } from './synthesized.ts';

const claim = (name: string) => `token.actions.githubusercontent.com:${name}`;
const [account, region] = ['210987654321', 'eu-central-1'];

describe.each(environmentNames)('the roles for GitHub in %s', (name) => {
  const roles = rolesIn(name);
  const stack = synthesizeRoles(name);

  test.each(roles)('$id trusts one environment of one repository, on main', ({ id, trust }) => {
    const environment = id === 'ReadRole' ? `${name}-read` : name;

    expect(trust).toMatchObject({ Effect: 'Allow', Action: 'sts:AssumeRoleWithWebIdentity' });
    expect(trust.Condition).toEqual({
      StringEquals: {
        [claim('aud')]: 'sts.amazonaws.com',
        [claim('sub')]: `repo:${repository}:environment:${environment}`,
        [claim('ref')]: 'refs/heads/main',
      },
    });
    expect(JSON.stringify(trust)).not.toContain('*');
    expect(JSON.stringify(trust)).toContain(`${account}:oidc-provider/token.actions.githubusercontent.com`);
  });

  test('may read what the workflow compares and preflight checks, or assume the bootstrap roles that deploy', () => {
    const [read, deploy] = roles.map(({ may }) =>
      may.flatMap(({ Action, Resource }) => {
        const resources = listOf(Resource).map((arn) => JSON.stringify(arn).split(':').slice(-1).join(''));
        return listOf(Action).map((action) => [action, resources.length] as const);
      }),
    );
    const checked = preflightPermissions({ environment: name, region, account }).flatMap(({ actions }) => actions);
    const shown = JSON.stringify(roles[1]?.may);

    expect(read?.map(([action]) => action)).toEqual(['cloudformation:GetTemplate', ...checked]);
    for (const [action] of read ?? []) expect(action).toMatch(/:(Get|Describe|List)\w+$|^apigateway:GET$/);
    expect(JSON.stringify(read)).not.toContain('GetSecretValue');
    expect(deploy).toEqual([['sts:AssumeRole', 2]]);
    expect(shown).toContain(`role/cdk-hnb659fds-deploy-role-${account}-${region}`);
    expect(shown).toContain(`role/cdk-hnb659fds-file-publishing-role-${account}-${region}`);
    expect(shown).not.toContain('*');
  });

  test('keep the names that the stack before had, and their provider when the stack is deleted', () => {
    const { GitHub, ReadRole, DeployRole } = stack.template.Resources;

    expect(stack.name).toBe(`plangrep-cancellation-${name}-github`);
    expect(Object.keys(stack.template.Outputs)).toEqual(['ReadRoleArn', 'DeployRoleArn']);
    expect([ReadRole, DeployRole].map((role) => role?.Type)).toEqual(['AWS::IAM::Role', 'AWS::IAM::Role']);
    expect(roles.map((role) => role.name)).toEqual([
      `plangrep-cancellation-${name}-github-read`,
      `plangrep-cancellation-${name}-github-deploy`,
    ]);
    expect(GitHub).toMatchObject({
      Condition: 'CreatesProvider',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { Url: 'https://token.actions.githubusercontent.com', ClientIdList: ['sts.amazonaws.com'] },
    });
    expect(stack.template.Parameters).toMatchObject({
      IdentityProvider: { AllowedValues: ['create', 'exists'], Default: 'create' },
    });
  });
});

test('a repository is taken only when it is named in full', () => {
  for (const good of ['acme/cancel', 'acme@1234/cancel.api@99']) expect(readGitHubRepository(good)).toBe(good);
  for (const bad of ['acme/*', '*', 'acme', 'acme/cancel:environment', 'acme/a/b', 'acme@/cancel', true, '']) {
    expect(readGitHubRepository(bad)).toBeUndefined();
  }
});
