/** Where an environment is: names, or the CDK's tokens for them. */
export interface PreflightPlace {
  readonly environment: string;
  readonly region: string;
  readonly account: string;
}

/** Statements of a policy. */
export interface PreflightPermission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/**
 * Exactly what `preflight` reads of an account before a deployment, for the role that a workflow runs it with. None of it
 * shows a partner's data, and none a secret's value. A test compares it with the calls that are made.
 */
export function preflightPermissions({ environment, region, account }: PreflightPlace): readonly PreflightPermission[] {
  const name = `plangrep-cancellation-${environment}`;
  const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
  return [
    { actions: ['ssm:GetParameter'], resources: [arn('ssm', 'parameter/cdk-bootstrap/hnb659fds/version')] },
    {
      actions: ['cloudformation:DescribeStacks'],
      resources: ['stateful', 'service'].map((stack) => arn('cloudformation', `stack/${name}-${stack}/*`)),
    },
    { actions: ['lambda:GetFunctionConcurrency'], resources: [arn('lambda', `function:${name}-*`)] },
    {
      actions: ['secretsmanager:DescribeSecret'],
      resources: [arn('secretsmanager', `secret:plangrep-cancellation/${environment}/api-key-*`)],
    },
    {
      actions: ['sns:ListSubscriptionsByTopic'],
      resources: ['page', 'ticket'].map((topic) => arn('sns', `${name}-${topic}`)),
    },
    { actions: ['acm:DescribeCertificate'], resources: [arn('acm', 'certificate/*')] },
    { actions: ['route53:GetHostedZone'], resources: ['arn:aws:route53:::hostedzone/*'] },
    {
      actions: ['apigateway:GET'],
      resources: ['account', 'restapis', 'usageplans'].map((path) => `arn:aws:apigateway:${region}::/${path}`),
    },
    {
      actions: ['iam:GetRole'],
      resources: [
        `arn:aws:iam::${account}:role/aws-service-role/ops.apigateway.amazonaws.com/AWSServiceRoleForAPIGateway`,
      ],
    },
    // These have no resources.
    {
      actions: [
        'lambda:GetAccountSettings',
        'wafv2:ListWebACLs',
        'logs:DescribeResourcePolicies',
        'cloudtrail:DescribeTrails',
        'servicequotas:GetServiceQuota',
      ],
      resources: ['*'],
    },
  ];
}
