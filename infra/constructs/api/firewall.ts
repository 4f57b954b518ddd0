import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { authorizationForm } from '../../../functions/contract/credential.ts';
import { firewallRefusal } from '../../blueprint/api.ts';
import type { Environment } from '../../blueprint/environment-schema.ts';
import { firewallWindowSeconds } from '../../blueprint/usage-plans.ts';

export interface FirewallProps {
  readonly environment: Environment;
  readonly stage: Stage;
}

/**
 * Which requests are counted together. A credential is counted in its one spelling only, which is the only one that the
 * authorizer accepts; in lower case, since the scheme may have any. Every request, whatever credential it has or has
 * not, is counted for its address too.
 */
type Counted = Pick<CfnWebACL.RateBasedStatementProperty, 'aggregateKeyType' | 'customKeys' | 'scopeDownStatement'>;
const perCredential: Counted = {
  aggregateKeyType: 'CUSTOM_KEYS',
  customKeys: [{ header: { name: 'Authorization', textTransformations: [{ priority: 0, type: 'LOWERCASE' }] } }],
  scopeDownStatement: {
    regexMatchStatement: {
      fieldToMatch: { singleHeader: { Name: 'authorization' } },
      regexString: authorizationForm,
      textTransformations: [{ priority: 0, type: 'NONE' }],
    },
  },
};
const perAddress: Counted = { aggregateKeyType: 'IP' };

/**
 * AWS's rule groups, with the rules in each that block. Each of these gets its own answer (403), since the answer
 * of the whole API for a blocked request, the gateway response `WAF_FILTERED`, is the rate rules' 429. A rule that AWS
 * adds later blocks too, with that 429 until it is named here. WAF ignores a name that it does not know.
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-response-for-blocked-requests.html
 * @see https://docs.aws.amazon.com/waf/latest/APIReference/API_RuleActionOverride.html
 */
const managedGroups = {
  AWSManagedRulesAmazonIpReputationList: ['AWSManagedIPReputationList', 'AWSManagedReconnaissanceList'],
  AWSManagedRulesKnownBadInputsRuleSet: [
    'JavaDeserializationRCE_HEADER',
    'JavaDeserializationRCE_BODY',
    'JavaDeserializationRCE_URIPATH',
    'JavaDeserializationRCE_QUERYSTRING',
    'Host_localhost_HEADER',
    'PROPFIND_METHOD',
    'ExploitablePaths_URIPATH',
    'Log4JRCE_HEADER',
    'Log4JRCE_QUERYSTRING',
    'Log4JRCE_BODY',
    'Log4JRCE_URIPATH',
    'ReactJSRCE_BODY',
  ],
} as const;

const refusedKey = 'Refused';

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
      customResponseBodies: {
        [refusedKey]: { contentType: 'APPLICATION_JSON', content: firewallRefusal.body },
      },
      rules: [
        managedRules(0, 'AWSManagedRulesAmazonIpReputationList'),
        managedRules(1, 'AWSManagedRulesKnownBadInputsRuleSet'),
        limit(2, 'PerCredential', environment.firewall.perCredential, perCredential),
        limit(3, 'PerAddress', environment.firewall.perAddress, perAddress),
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

function managedRules(priority: number, name: keyof typeof managedGroups): CfnWebACL.RuleProperty {
  const { statusCode: responseCode, headers } = firewallRefusal;
  const responseHeaders = Object.entries(headers).map(([header, value]) => ({ name: header, value }));
  const refuse = { block: { customResponse: { responseCode, responseHeaders, customResponseBodyKey: refusedKey } } };
  const ruleActionOverrides = managedGroups[name].map((rule) => ({ name: rule, actionToUse: refuse }));
  return {
    name,
    priority,
    overrideAction: { none: {} },
    statement: { managedRuleGroupStatement: { vendorName: 'AWS', name, ruleActionOverrides } },
    visibilityConfig: visibility(name),
  };
}

/** Blocks without a custom answer: API Gateway answers with `WAF_FILTERED`, which can be a problem. */
function limit(priority: number, name: string, most: number, counted: Counted): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    action: { block: {} },
    statement: { rateBasedStatement: { limit: most, evaluationWindowSec: firewallWindowSeconds, ...counted } },
    visibilityConfig: visibility(name),
  };
}
