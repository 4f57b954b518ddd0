import { CfnCondition, CfnOutput, CfnParameter, Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnOIDCProvider, CfnRole, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { preflightPermissions } from '../blueprint/account/preflight-permissions.ts';
import type { Environment } from '../blueprint/environment-schema.ts';
import { tagsOf } from '../blueprint/access/table-settings.ts';
import { placeOf } from './refuse-placeholders.ts';

export interface GitHubRolesStackProps {
  readonly environment: Environment;
  readonly github: GitHubRepository;
}

/** As the token's `sub` claim has it: OWNER/REPOSITORY, or OWNER@ID/REPOSITORY@ID where GitHub adds the ids. */
export type GitHubRepository = string;

/** @returns undefined for anything but one repository, named in full and without a wildcard */
export function readGitHubRepository(value: unknown): GitHubRepository | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9-]+(@\d+)?\/[A-Za-z0-9._-]+(@\d+)?$/.test(value) ? value : undefined;
}

const issuer = 'token.actions.githubusercontent.com';

/**
 * The two roles that the workflows of one environment assume by GitHub's OpenID Connect. An administrator deploys it, with
 * `-c github=OWNER/REPO`; the pipeline never does, because it must not be able to change whom its roles trust.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
 */
export class GitHubRolesStack extends Stack {
  constructor(scope: Construct, id: string, { environment, github }: GitHubRolesStackProps) {
    super(scope, id, {
      stackName: `plangrep-cancellation-${environment.name}-github`,
      description: `Plangrep job cancellation, ${environment.name}: the roles for GitHub's workflows`,
      env: placeOf(environment),
      terminationProtection: environment.deletionProtection,
      tags: tagsOf(environment),
    });
    this.addProvider();
    const { name } = environment;
    this.addRole('ReadRole', {
      roleName: `plangrep-cancellation-${name}-github-read`,
      description: 'Reads what preflight checks, and the deployed templates for the diff before a deployment.',
      subject: `repo:${github}:environment:${name}-read`,
      policyName: 'ReadBeforeDeployment',
      statements: [
        new PolicyStatement({
          actions: ['cloudformation:GetTemplate'],
          resources: ['stateful', 'service'].map((stack) =>
            this.formatArn({
              service: 'cloudformation',
              resource: 'stack',
              resourceName: `plangrep-cancellation-${name}-${stack}/*`,
            }),
          ),
        }),
        ...preflightPermissions({ environment: name, region: environment.region, account: this.account }).map(
          ({ actions, resources }) => new PolicyStatement({ actions: [...actions], resources: [...resources] }),
        ),
      ],
    });
    this.addRole('DeployRole', {
      roleName: `plangrep-cancellation-${name}-github-deploy`,
      description: "Assumes the CDK's bootstrap roles that upload files and deploy stacks.",
      subject: `repo:${github}:environment:${name}`,
      policyName: 'AssumeBootstrapRoles',
      statements: [
        new PolicyStatement({
          actions: ['sts:AssumeRole'],
          resources: ['deploy', 'file-publishing'].map((role) =>
            this.formatArn({
              service: 'iam',
              region: '',
              resource: 'role',
              resourceName: `cdk-hnb659fds-${role}-role-${this.account}-${environment.region}`,
            }),
          ),
        }),
      ],
    });
  }

  /**
   * An account has one provider for GitHub, which other stacks and other environments may use: it is kept. AWS checks
   * GitHub's certificate by its own list of authorities, so there is no thumbprint.
   */
  private addProvider(): void {
    const choice = new CfnParameter(this, 'IdentityProvider', {
      allowedValues: ['create', 'exists'],
      default: 'create',
      description: 'An account has one identity provider for GitHub. "create" where there is none yet.',
    });
    const provider = new CfnOIDCProvider(this, 'GitHub', {
      url: `https://${issuer}`,
      clientIdList: ['sts.amazonaws.com'],
    });
    provider.cfnOptions.condition = new CfnCondition(this, 'CreatesProvider', {
      expression: Fn.conditionEquals(choice, 'create'),
    });
    provider.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }

  private addRole(id: string, wanted: Wanted): void {
    const { roleName, description, subject, policyName, statements } = wanted;
    const role = new CfnRole(this, id, {
      roleName,
      description,
      assumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: Effect.ALLOW,
            Action: 'sts:AssumeRoleWithWebIdentity',
            Principal: {
              Federated: this.formatArn({
                service: 'iam',
                region: '',
                resource: 'oidc-provider',
                resourceName: issuer,
              }),
            },
            Condition: {
              StringEquals: {
                [`${issuer}:aud`]: 'sts.amazonaws.com',
                [`${issuer}:sub`]: subject,
                [`${issuer}:ref`]: 'refs/heads/main',
              },
            },
          },
        ],
      },
      policies: [{ policyName, policyDocument: new PolicyDocument({ statements: [...statements] }) }],
    });
    new CfnOutput(this, `${id}Arn`, { value: role.attrArn });
  }
}

interface Wanted {
  readonly roleName: string;
  readonly description: string;
  /** The only token that the role takes: of one repository and one of its environments. */
  readonly subject: string;
  readonly policyName: string;
  readonly statements: readonly PolicyStatement[];
}
