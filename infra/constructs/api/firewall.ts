import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { Environment } from '../../blueprint/environment-schema.ts';

export interface FirewallProps {
  readonly environment: Environment;
  readonly stage: Stage;
}

/** Which requests are counted together: those with the same credential, or from the same address. */
type Aggregation = Pick<CfnWebACL.RateBasedStatementProperty, 'aggregateKeyType' | 'customKeys'>;
const byCredential: Aggregation = {
  aggregateKeyType: 'CUSTOM_KEYS',
  customKeys: [{ header: { name: 'Authorization', textTransformations: [{ priority: 0, type: 'NONE' }] } }],
};
const byAddress: Aggregation = { aggregateKeyType: 'IP' };

/**
 * The firewall in front of the API.
 *
 * It has no core rule set (AWS's rules for request bodies): an externalId is free text, so what those rules take for an
 * attack may be a partner's order number. The service never runs, renders or joins such a text into a query.
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
    // WAF writes only to groups with this prefix. A retained group of a fixed name would block the next stack.
    const logGroupName = `aws-waf-logs-${name}`;
    const logs = new LogGroup(this, 'Logs', {
      logGroupName,
      retention: environment.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const logging = new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      // WAF wants the ARN without the `:*` at the end of a log group's own ARN.
      logDestinationConfigs: [
        Stack.of(this).formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: logGroupName,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
      redactedFields: [{ singleHeader: { Name: 'authorization' } }, { queryString: {} }],
      // Only blocked requests: the others are in the access log.
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

function visibility(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return {
    metricName,
    cloudWatchMetricsEnabled: true,
    // Samples would show whole requests in the console, with their credentials.
    sampledRequestsEnabled: false,
  };
}

function managedRules(priority: number, name: string): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    overrideAction: { none: {} },
    statement: { managedRuleGroupStatement: { vendorName: 'AWS', name } },
    visibilityConfig: visibility(name),
  };
}

function limit(priority: number, name: string, most: number, aggregation: Aggregation): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    action: { block: {} },
    statement: { rateBasedStatement: { limit: most, evaluationWindowSec: 300, ...aggregation } },
    visibilityConfig: visibility(name),
  };
}
