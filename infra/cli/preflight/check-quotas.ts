import { usagePlanName } from '../../blueprint/usage-plans.ts';
import type { AskAws, AwsAnswer } from './ask-aws.ts';
import { type Checked, type Finding, increaseQuota, nameOf, notChecked } from './finding.ts';

type Refusal = Exclude<AwsAnswer, { kind: 'answer' }>;

/** The limits of CloudTrail and CloudWatch Logs, which AWS does not raise. */
const mostTrails = 5;
const mostLogPolicies = 10;
/** Nor this one, of regional REST APIs. */
const mostApis = 600;

/** @see https://docs.aws.amazon.com/waf/latest/developerguide/limits.html */
export async function checkFirewall({ environment, ask }: Checked): Promise<Finding> {
  const check = 'firewall';
  const answer = await ask('wafv2', 'wafv2:ListWebACLs', {
    operation: 'ListWebACLs',
    input: { Scope: 'REGIONAL', Limit: 100 },
  });
  if (answer.kind !== 'answer') return notChecked(check, answer);
  const { WebACLs }: { WebACLs: readonly { readonly Name: string }[] } = JSON.parse(answer.text);
  const quota = await readQuota(ask, 'wafv2', 'L-2EC3DE7B', 100);
  const names = WebACLs.map(({ Name }) => Name);
  const found = `${names.length} of ${quota} web ACLs`;
  if (names.includes(nameOf(environment)) || names.length < quota) return { check, state: 'ok', found };
  return { check, state: 'fix', found, fix: increaseQuota('wafv2', 'L-2EC3DE7B', quota + 10, environment.region) };
}

/** @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html */
export async function checkApis({ environment, ask }: Checked): Promise<Finding> {
  const check = 'REST APIs';
  const names = await listNames(ask, '/restapis');
  if ('kind' in names) return notChecked(check, names);
  const found = `${names.length} of ${mostApis}`;
  if (names.includes(nameOf(environment)) || names.length < mostApis) return { check, state: 'ok', found };
  return {
    check,
    state: 'fix',
    found,
    fix: 'delete one, or use another account or region: AWS does not raise this quota',
  };
}

export async function checkUsagePlans({ environment, ask }: Checked): Promise<Finding> {
  const check = 'usage plans';
  const names = await listNames(ask, '/usageplans');
  if ('kind' in names) return notChecked(check, names);
  const missing = Object.keys(environment.plans).filter(
    (plan) => !names.includes(usagePlanName(environment.name, plan)),
  );
  const quota = await readQuota(ask, 'apigateway', 'L-E8693075', 300);
  const found = `${names.length} of ${quota}${missing.length > 0 ? `, ${missing.length} to come` : ''}`;
  if (names.length + missing.length <= quota) return { check, state: 'ok', found };
  return { check, state: 'fix', found, fix: increaseQuota('apigateway', 'L-E8693075', quota + 50, environment.region) };
}

interface ApiAccount {
  readonly cloudwatchRoleArn?: string;
  readonly throttleSettings: { readonly rateLimit: number; readonly burstLimit: number };
}

/** The throttle of the account, and the role by which API Gateway writes logs. */
export async function checkApiAccount({ environment, ask }: Checked): Promise<readonly Finding[]> {
  const [throttle, logRole] = ['API throttle', 'API log role'];
  const answer = await ask('apigateway', 'apigateway:GET', { path: '/account' });
  if (answer.kind !== 'answer') return [notChecked(throttle, answer), notChecked(logRole, answer)];
  const { throttleSettings: most, cloudwatchRoleArn: role }: ApiAccount = JSON.parse(answer.text);
  const { ratePerSecond, burst } = environment.throttle;
  const found = `the account takes ${most.rateLimit} a second and ${most.burstLimit} at once; the API ${ratePerSecond} and ${burst}`;
  const isEnough = ratePerSecond <= most.rateLimit && burst <= most.burstLimit;
  return [
    isEnough
      ? { check: throttle, state: 'ok', found }
      : {
          check: throttle,
          state: 'fix',
          found,
          fix: increaseQuota('apigateway', 'L-8A5B8E43', ratePerSecond, environment.region),
        },
    judgeLogRole(logRole, environment, role),
  ];
}

function judgeLogRole(
  check: string,
  { setsApiGatewayLogRole: isSet, ...environment }: Checked['environment'],
  role: string | undefined,
): Finding {
  if (role === undefined) {
    return isSet
      ? { check, state: 'ok', found: 'none yet: this deployment sets it' }
      : {
          check,
          state: 'fix',
          found: 'none: the deployment of the API fails',
          fix: `setsApiGatewayLogRole: true for ${environment.name}, or set one: aws apigateway update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value=ROLE_ARN --region ${environment.region}`,
        };
  }
  const name = role.split('/').at(-1) ?? role;
  if (!isSet || name.startsWith('plangrep-cancellation-')) return { check, state: 'ok', found: name };
  return {
    check,
    state: 'advice',
    found: `${name} is set for the account, and this deployment replaces it`,
    fix: `setsApiGatewayLogRole: false for ${environment.name} keeps it`,
  };
}

/** @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html */
export async function checkTrails({ environment, ask }: Checked): Promise<Finding> {
  const check = 'CloudTrail trails';
  if (!environment.auditWatch) return { check, state: 'ok', found: 'none is needed (auditWatch: false)' };
  const answer = await ask('cloudtrail', 'cloudtrail:DescribeTrails', {
    operation: 'DescribeTrails',
    input: { includeShadowTrails: true },
  });
  if (answer.kind !== 'answer') return notChecked(check, answer);
  const { trailList }: { trailList: readonly { readonly Name: string }[] } = JSON.parse(answer.text);
  const names = trailList.map(({ Name }) => Name);
  const found = `${names.length} of ${mostTrails} in the region`;
  if (names.includes(nameOf(environment)) || names.length < mostTrails) return { check, state: 'ok', found };
  return {
    check,
    state: 'fix',
    found,
    fix: 'delete one: aws cloudtrail describe-trails lists them, and AWS does not raise this quota',
  };
}

/**
 * The firewall's log needs one of the region's resource policies, which AWS makes, and which all such logs share.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
 */
export async function checkLogPolicies({ ask }: Checked): Promise<Finding> {
  const check = 'log policies';
  const answer = await ask('logs', 'logs:DescribeResourcePolicies', { operation: 'DescribeResourcePolicies' });
  if (answer.kind !== 'answer') return notChecked(check, answer);
  const { resourcePolicies = [] }: { resourcePolicies?: readonly { readonly policyName: string }[] } = JSON.parse(
    answer.text,
  );
  const found = `${resourcePolicies.length} of ${mostLogPolicies}`;
  const isThere = resourcePolicies.some(({ policyName }) => /^AWS(LogDelivery|WAF)/.test(policyName));
  if (isThere || resourcePolicies.length < mostLogPolicies) return { check, state: 'ok', found };
  return {
    check,
    state: 'fix',
    found,
    fix: 'delete one: aws logs describe-resource-policies lists them, and AWS does not raise this quota',
  };
}

/** The quota as it applies to the account; AWS's default where it cannot be read. */
async function readQuota(ask: AskAws, ServiceCode: string, QuotaCode: string, usual: number): Promise<number> {
  const answer = await ask('servicequotas', 'servicequotas:GetServiceQuota', {
    operation: 'GetServiceQuota',
    input: { ServiceCode, QuotaCode },
  });
  if (answer.kind !== 'answer') return usual;
  const { Quota }: { Quota: { readonly Value: number } } = JSON.parse(answer.text);
  return Quota.Value;
}

/** @returns the names of all that API Gateway has under this path */
async function listNames(ask: AskAws, path: string): Promise<readonly string[] | Refusal> {
  const names: string[] = [];
  for (let position: string | undefined = ''; position !== undefined; ) {
    const from = position === '' ? '' : `&position=${encodeURIComponent(position)}`;
    const answer = await ask('apigateway', 'apigateway:GET', { path: `${path}?limit=500${from}` });
    if (answer.kind !== 'answer') return answer;
    const page: { item?: readonly { readonly name: string }[]; position?: string } = JSON.parse(answer.text);
    names.push(...(page.item ?? []).map(({ name }) => name));
    position = page.position;
  }
  return names;
}
