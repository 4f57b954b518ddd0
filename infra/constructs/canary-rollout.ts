import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { BundledFunction } from './bundled-function.ts';

export interface CanaryRolloutProps {
  readonly environment: string;
  readonly functions: Readonly<Record<string, BundledFunction>>;
  /** Any of these rolls the new versions back. */
  readonly alarms: readonly Alarm[];
}

/** Gives a new version a tenth of the traffic for five minutes, then all of it, unless an alarm rolls it back. */
export class CanaryRollout extends Construct {
  constructor(scope: Construct, id: string, { environment, functions, alarms }: CanaryRolloutProps) {
    super(scope, id);
    const bundled = Object.entries(functions);
    const application = new LambdaApplication(this, 'Application', {
      applicationName: `plangrep-cancellation-${environment}`,
    });
    // AWS's managed policy for this allows every function and every object in S3.
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('codedeploy.amazonaws.com'),
      inlinePolicies: {
        exactly: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['lambda:GetAlias', 'lambda:GetProvisionedConcurrencyConfig', 'lambda:UpdateAlias'],
              resources: bundled.flatMap(([, { function: fn }]) => [fn.functionArn, `${fn.functionArn}:live`]),
            }),
            new PolicyStatement({
              actions: ['cloudwatch:DescribeAlarms'],
              resources: alarms.map(({ alarmArn }) => alarmArn),
            }),
          ],
        }),
      },
    });
    for (const [name, { alias }] of bundled) {
      new LambdaDeploymentGroup(this, name, {
        application,
        alias,
        role: role.withoutPolicyUpdates(),
        deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
        alarms: [...alarms],
        autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: true },
      });
    }
  }
}
