import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import * as z from 'zod/mini';
import type { Environment } from '../../../infra/blueprint/environment-schema.ts';
import { type EnvironmentName, environments } from '../../../infra/blueprint/environments.ts';
import { GitHubRolesStack } from '../../../infra/stacks/github-roles-stack.ts';

const statementSchema = z.looseObject({ Action: z.unknown(), Resource: z.unknown() });
const roleSchema = z.looseObject({
  RoleName: z.string(),
  AssumeRolePolicyDocument: z.object({
    Statement: z.tuple([
      z.looseObject({
        Effect: z.string(),
        Action: z.string(),
        Condition: z.object({ StringEquals: z.record(z.string(), z.string()) }),
      }),
    ]),
  }),
  Policies: z.tuple([z.object({ PolicyDocument: z.object({ Statement: z.array(statementSchema) }) })]),
});
const templateSchema = z.looseObject({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.unknown() })),
  Parameters: z.record(z.string(), z.unknown()),
  Outputs: z.record(z.string(), z.unknown()),
});

export const repository = 'acme@1/cancel@2';

/** The stack as an administrator deploys it: `-c github=acme@1/cancel@2`, in account 210987654321. */
export function synthesizeRoles(name: EnvironmentName) {
  const app = new App({ outdir: mkdtempSync(join(tmpdir(), 'github-roles-')), analyticsReporting: false });
  const environment: Environment = { ...environments[name], account: '210987654321' };
  const stack = new GitHubRolesStack(app, 'GitHub', { environment, github: repository });
  const artifact = app.synth().getStackArtifact(stack.artifactId);
  return { name: artifact.stackName, template: templateSchema.parse(artifact.template) };
}

/** Each role, with whom it trusts and what it may do. */
export function rolesIn(name: EnvironmentName) {
  return Object.entries(synthesizeRoles(name).template.Resources)
    .filter(([, { Type }]) => Type === 'AWS::IAM::Role')
    .map(([id, { Properties }]) => {
      const role = roleSchema.parse(Properties);
      const [trust] = role.AssumeRolePolicyDocument.Statement;
      return {
        id,
        name: role.RoleName,
        trust,
        subject: trust.Condition.StringEquals['token.actions.githubusercontent.com:sub'],
        may: role.Policies[0].PolicyDocument.Statement,
      };
    });
}
