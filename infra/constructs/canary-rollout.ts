import { ArnFormat, Aws, Stack } from 'aws-cdk-lib';
import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { functionNames, type FunctionName } from '../blueprint/functions.ts';
import { versionAlarmNames } from '../blueprint/rollout/version-alarms.ts';
import { type BundledFunction, liveAlias } from './bundled-function.ts';
import { VersionAlarms } from './version-alarms.ts';

export interface CanaryRolloutProps {
  readonly environment: string;
  readonly functions: Readonly<Record<FunctionName, BundledFunction>>;
  /**
   * Whether this deployment shifts the traffic at once and heeds no alarm. The groups stay, so that the next one is a canary
   * again.
   */
  readonly isOverridden: boolean;
}

/** Gives a new version a tenth of the traffic for five minutes, then all of it, unless its own alarms roll it back. */
export class CanaryRollout extends Construct {
  constructor(scope: Construct, id: string, { environment, functions, isOverridden }: CanaryRolloutProps) {
    super(scope, id);
    const application = new LambdaApplication(this, 'Application', {
      applicationName: `plangrep-cancellation-${environment}`,
    });
    const role = this.addRole(environment, Object.values(functions));
    for (const name of functionNames) {
      const bundled = functions[name];
      const { alarms } = new VersionAlarms(this, `Version-${name}`, { environment, name, bundled });
      new LambdaDeploymentGroup(this, name, {
        application,
        alias: bundled.alias,
        role: role.withoutPolicyUpdates(),
        deploymentConfig: isOverridden
          ? LambdaDeploymentConfig.ALL_AT_ONCE
          : LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
        // Its own alarms alone: the fault of a function that is not being changed stops no release.
        alarms: isOverridden ? [] : [...alarms],
        autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: !isOverridden },
      });
    }
  }

  /** AWS's managed policy for this allows every function and every object in S3. */
  private addRole(environment: string, bundled: readonly BundledFunction[]): Role {
    return new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('codedeploy.amazonaws.com'),
      inlinePolicies: {
        exactly: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['lambda:GetAlias', 'lambda:GetProvisionedConcurrencyConfig', 'lambda:UpdateAlias'],
              resources: bundled.flatMap(({ function: fn }) => [fn.functionArn, `${fn.functionArn}:${liveAlias}`]),
            }),
            new PolicyStatement({
              actions: ['cloudwatch:DescribeAlarms'],
              // By a pattern: rights that each release changes reach CodeDeploy late, and it stops a deployment whose
              // alarms it cannot read.
              resources: [
                Stack.of(this).formatArn({
                  // As checks.ts acknowledges it: the same in every account and region.
                  partition: Aws.PARTITION,
                  service: 'cloudwatch',
                  region: Aws.REGION,
                  account: Aws.ACCOUNT_ID,
                  resource: `alarm:${versionAlarmNames(environment)}`,
                  arnFormat: ArnFormat.NO_RESOURCE_NAME,
                }),
              ],
            }),
          ],
        }),
      },
    });
  }
}
