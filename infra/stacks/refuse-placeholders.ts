import { CfnParameter, CfnRule, Fn, type Environment as Place, type Stack } from 'aws-cdk-lib';
import type { Environment } from '../blueprint/environment-schema.ts';
import { placeholdersIn } from '../blueprint/account/placeholders.ts';

/** With a pinned account the CDK deploys with no other account's credentials. */
export function placeOf({ account, region }: Environment): Place {
  return { region, ...(account !== undefined && { account }) };
}

/**
 * An environment as it was published can be synthesized anywhere, and deployed nowhere: CloudFormation refuses the stack
 * before it makes anything, and says what to replace.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
 */
export function refusePlaceholders(stack: Stack, environment: Environment): void {
  const found = placeholdersIn(environment);
  if (found.length === 0) return;
  const deployAsPublished = new CfnParameter(stack, 'DeployAsPublished', {
    description: 'yes: although infra/blueprint/environments.ts still holds what it was published with',
    default: 'no',
    // CloudFormation keeps the value for later deployments: in prod, alarms would go to an example for good.
    allowedValues: environment.name === 'prod' ? ['no'] : ['no', 'yes'],
  });
  const what = found.map(({ field, problem }) => `${field} ${problem}`).join('; ');
  new CfnRule(stack, 'Placeholders', {
    assertions: [
      {
        assert: Fn.conditionEquals(deployAsPublished.valueAsString, 'yes'),
        assertDescription: `infra/blueprint/environments.ts, ${environment.name}: ${what}`,
      },
    ],
  });
}
