import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { Environment } from '../../blueprint/environments.ts';

export interface FirewallProps {
  readonly environment: Environment;
  readonly stage: Stage;
}

/** What is counted together: requests with the same credential, or from the same address. */
type Aggregation = Pick<CfnWebACL.RateBasedStatementProperty, 'aggregateKeyType' | 'customKeys'>;
const byCredential: Aggregation = {
  aggregateKeyType: 'CUSTOM_KEYS',
  customKeys: [{ header: { name: 'Authorization', textTransformations: [{ priority: 0, type: 'NONE' }] } }],
};
const byAddress: Aggregation = { aggregateKeyType: 'IP' };

/**
 * The firewall in front of the API.
 *
 * AWS's rules for request bodies (the core rule set) are left out: an externalId is free text, so what they take for an
 * attack may be a partner's order number, and nothing here is ever run, rendered or joined into a query.
 */
export class Firewall extends Construct {
  constructor(scope: Construct, id: string, { environment, stage }: FirewallProps) {
    super(scope, id);
    const name = `plangrep-cancellation-${environment.name}`;
    const acl = new CfnWebACL(this, 'Acl', {
      name,
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility('Requests'),
      rules: [
        managedRules(0, 'AWSManagedRulesAmazonIpReputationList'),
        managedRules(1, 'AWSManagedRulesKnownBadInputsRuleSet'),
        limit(2, 'PerCredential', environment.firewall.perCredential, byCredential),
        limit(3, 'PerAddress', environment.firewall.perAddress, byAddress),
      ],
    });
    new CfnWebACLAssociation(this, 'Association', { resourceArn: stage.stageArn, webAclArn: acl.attrArn });
    // WAF writes only to groups of this prefix. A fixed name: kept, it would stand in the way of the next stack.
    const logGroupName = `aws-waf-logs-${name}`;
    const logs = new LogGroup(this, 'Logs', {
      logGroupName,
      retention: environment.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const logging = new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      // Without the `:*` that a log group's own ARN ends with.
      logDestinationConfigs: [
        Stack.of(this).formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: logGroupName,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
      redactedFields: [{ singleHeader: { Name: 'authorization' } }, { queryString: {} }],
      // Only what was stopped: what passed is in the access log.
      loggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [
          {
            Behavior: 'KEEP',
            Requirement: 'MEETS_ANY',
            Conditions: [{ ActionCondition: { Action: 'BLOCK' } }, { ActionCondition: { Action: 'COUNT' } }],
          },
        ],
      },
    });
    logging.node.addDependency(logs);
  }
}

const visibility = (metricName: string): CfnWebACL.VisibilityConfigProperty => ({
  metricName,
  cloudWatchMetricsEnabled: true,
  // Samples would show whole requests in the console, credentials with them.
  sampledRequestsEnabled: false,
});

const managedRules = (priority: number, name: string): CfnWebACL.RuleProperty => ({
  name,
  priority,
  overrideAction: { none: {} },
  statement: { managedRuleGroupStatement: { vendorName: 'AWS', name } },
  visibilityConfig: visibility(name),
});

const limit = (priority: number, name: string, most: number, aggregation: Aggregation): CfnWebACL.RuleProperty => ({
  name,
  priority,
  action: { block: {} },
  statement: { rateBasedStatement: { limit: most, evaluationWindowSec: 300, ...aggregation } },
  visibilityConfig: visibility(name),
});
