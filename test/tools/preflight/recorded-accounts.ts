import { functionNames } from '../../../infra/blueprint/functions.ts';
import { type Answers, json, type Recorded, xml, xmlError } from './recorded-aws.ts';

/**
 * Accounts by AWS's answers, in the forms of its API references: each is cut to what it says of a new account, or of one
 * with a healthy staging. The AWS CLI reads each of them.
 */
export const accountId = '210987654321';
export const region = 'eu-central-1';
const service = 'plangrep-cancellation-staging';
const page = `arn:aws:sns:${region}:${accountId}:${service}-page`;
const ticket = `arn:aws:sns:${region}:${accountId}:${service}-ticket`;

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
export function identityOf(account: string): Recorded {
  return xml(`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:sts::${account}:assumed-role/plangrep-cancellation-staging-github-read/GitHubActions</Arn>
    <UserId>AROA1EXAMPLE:GitHubActions</UserId>
    <Account>${account}</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>`);
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html */
export function lambdaSettings(ConcurrentExecutions: number, UnreservedConcurrentExecutions: number): Recorded {
  return json(200, {
    AccountLimit: {
      CodeSizeUnzipped: 262144000,
      CodeSizeZipped: 52428800,
      ConcurrentExecutions,
      TotalCodeSize: 80530636800,
      UnreservedConcurrentExecutions,
    },
    AccountUsage: { FunctionCount: 0, TotalCodeSize: 0 },
  });
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html */
export function stack(part: string, status: string): Recorded {
  return xml(`<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
  <DescribeStacksResult><Stacks><member>
    <StackName>${service}-${part}</StackName>
    <StackId>arn:aws:cloudformation:${region}:${accountId}:stack/${service}-${part}/0a1b2c3d</StackId>
    <CreationTime>2026-11-20T10:00:00.000Z</CreationTime>
    <StackStatus>${status}</StackStatus>
    <DisableRollback>false</DisableRollback>
  </member></Stacks></DescribeStacksResult>
  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
</DescribeStacksResponse>`);
}

/** https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html */
export function subscriptions(topic: string, endpoints: Readonly<Record<string, string>>): Recorded {
  const members = Object.entries(endpoints).map(
    ([endpoint, arn]) => `<member>
      <TopicArn>${topic}</TopicArn><Protocol>email</Protocol><SubscriptionArn>${arn}</SubscriptionArn>
      <Owner>${accountId}</Owner><Endpoint>${endpoint}</Endpoint>
    </member>`,
  );
  return xml(`<ListSubscriptionsByTopicResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <ListSubscriptionsByTopicResult><Subscriptions>${members.join('')}</Subscriptions></ListSubscriptionsByTopicResult>
  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
</ListSubscriptionsByTopicResponse>`);
}

/** https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html */
export function certificate(fields: object = {}): Recorded {
  return json(200, {
    Certificate: {
      CertificateArn: certificateArn,
      DomainName: 'plangrep.com',
      SubjectAlternativeNames: ['plangrep.com', '*.plangrep.com'],
      Status: 'ISSUED',
      Type: 'AMAZON_ISSUED',
      KeyAlgorithm: 'RSA-2048',
      NotAfter: Date.parse('2027-10-01T00:00:00Z') / 1000,
      ...fields,
    },
  });
}
export const certificateArn = `arn:aws:acm:${region}:${accountId}:certificate/0a1b2c3d-0000-4000-8000-000000000000`;

/** https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html */
export function zone(name: string, isPrivate = false): Recorded {
  return xml(`<GetHostedZoneResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">
  <HostedZone><Id>/hostedzone/Z0123456789</Id><Name>${name}.</Name><CallerReference>1</CallerReference>
    <Config><PrivateZone>${isPrivate}</PrivateZone></Config><ResourceRecordSetCount>2</ResourceRecordSetCount></HostedZone>
  <DelegationSet><NameServers><NameServer>ns-1.awsdns-01.com</NameServer></NameServers></DelegationSet>
</GetHostedZoneResponse>`);
}

/** https://docs.aws.amazon.com/apigateway/latest/api/API_GetAccount.html */
export function apiAccount(fields: object = {}): Recorded {
  return json(200, {
    throttleSettings: { burstLimit: 5000, rateLimit: 10000 },
    features: ['UsagePlans'],
    apiKeyVersion: '4',
    ...fields,
  });
}

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html */
export function secret(fields: object = {}): Recorded {
  return json(200, {
    ARN: `arn:aws:secretsmanager:${region}:${accountId}:secret:plangrep-cancellation/staging/api-key-AbCdEf`,
    Name: 'plangrep-cancellation/staging/api-key',
    CreatedDate: 1795000000,
    VersionIdsToStages: { '01234567-89ab-cdef-0123-456789abcdef': ['AWSCURRENT'] },
    ...fields,
  });
}

export function named(count: number, prefix = 'other'): { readonly name: string; readonly Name: string }[] {
  return Array.from({ length: count }, (_, n) => ({ name: `${prefix}-${n}`, Name: `${prefix}-${n}` }));
}

/** https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html */
export function quota(ServiceCode: string, QuotaCode: string, Value: number): Recorded {
  return json(200, {
    Quota: { ServiceCode, QuotaCode, QuotaName: 'a quota', Value, Unit: 'None', Adjustable: true, GlobalQuota: false },
  });
}

const absent = (name: string) => xmlError(400, 'ValidationError', `Stack with id ${name} does not exist`);

/** As AWS answers on the first day. */
export const emptyAccount: Answers = {
  'sts:GetCallerIdentity': identityOf(accountId),
  'ssm:GetParameter': json(400, { __type: 'ParameterNotFound' }),
  [`cloudformation:DescribeStacks ${service}-stateful`]: absent(`${service}-stateful`),
  [`cloudformation:DescribeStacks ${service}-service`]: absent(`${service}-service`),
  'lambda:GetAccountSettings': lambdaSettings(10, 10),
  'wafv2:ListWebACLs': json(200, { WebACLs: [] }),
  'servicequotas:GetServiceQuota L-2EC3DE7B': quota('wafv2', 'L-2EC3DE7B', 100),
  'servicequotas:GetServiceQuota L-E8693075': quota('apigateway', 'L-E8693075', 300),
  'apigateway:GET /account': apiAccount(),
  'apigateway:GET /restapis': json(200, { item: [] }),
  'apigateway:GET /usageplans': json(200, { item: [] }),
  'iam:GetRole': xmlError(404, 'NoSuchEntity', 'The role with name AWSServiceRoleForAPIGateway cannot be found.'),
  'cloudtrail:DescribeTrails': json(200, { trailList: [] }),
  'logs:DescribeResourcePolicies': json(200, { resourcePolicies: [] }),
  'secretsmanager:DescribeSecret': json(400, {
    __type: 'ResourceNotFoundException',
    Message: "Secrets Manager can't find the specified secret.",
  }),
};

const reserved: Readonly<Record<string, number>> = {
  'request-cancellation': 260,
  'consume-events': 2,
  'consume-wake-ups': 4,
  'reconcile-cancellations': 2,
};

/** With staging deployed, and everything as it should be. */
export const healthyAccount: Answers = {
  ...emptyAccount,
  'ssm:GetParameter': json(200, {
    Parameter: { Name: '/cdk-bootstrap/hnb659fds/version', Type: 'String', Value: '30', Version: 1, DataType: 'text' },
  }),
  [`cloudformation:DescribeStacks ${service}-stateful`]: stack('stateful', 'CREATE_COMPLETE'),
  [`cloudformation:DescribeStacks ${service}-service`]: stack('service', 'UPDATE_COMPLETE'),
  'lambda:GetAccountSettings': lambdaSettings(1000, 732),
  // https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html
  ...Object.fromEntries(
    functionNames.map((fn) => [
      `lambda:GetFunctionConcurrency ${service}-${fn}`,
      json(200, fn in reserved ? { ReservedConcurrentExecutions: reserved[fn] } : {}),
    ]),
  ),
  'wafv2:ListWebACLs': json(200, { NextMarker: service, WebACLs: [{ Name: service, Id: '1', LockToken: '2' }] }),
  'apigateway:GET /account': apiAccount({
    cloudwatchRoleArn: `arn:aws:iam::${accountId}:role/plangrep-cancellation-staging-PartnerApiCloudWatchRole`,
  }),
  'apigateway:GET /restapis': json(200, { item: [{ id: 'a1b2c3', name: service }] }),
  'apigateway:GET /usageplans': json(200, {
    item: [{ name: `${service}-standard` }, { name: `${service}-bulk` }],
  }),
  'iam:GetRole': xml(
    '<GetRoleResponse><GetRoleResult><Role><RoleName>AWSServiceRoleForAPIGateway</RoleName></Role></GetRoleResult></GetRoleResponse>',
  ),
  'cloudtrail:DescribeTrails': json(200, { trailList: [{ Name: service }] }),
  'logs:DescribeResourcePolicies': json(200, { resourcePolicies: [{ policyName: 'AWSLogDeliveryWrite20150319' }] }),
  [`sns:ListSubscriptionsByTopic ${page}`]: subscriptions(page, { 'oncall@plangrep.com': `${page}:1` }),
  [`sns:ListSubscriptionsByTopic ${ticket}`]: subscriptions(ticket, { 'team@plangrep.com': `${ticket}:2` }),
  'secretsmanager:DescribeSecret': secret(),
  [`acm:DescribeCertificate ${certificateArn}`]: certificate(),
  'route53:GetHostedZone Z0123456789': zone('plangrep.com'),
};

export const topics = { page, ticket } as const;
