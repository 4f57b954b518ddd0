import { type App, CfnResource, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { archiveFolders } from '../blueprint/archive/archive-folders.ts';
import type { Environment } from '../blueprint/environment-schema.ts';
import { type EnvironmentName, environmentNames, environments } from '../blueprint/environments.ts';
import { apiGatewayPaths } from '../constructs/operator-roles.ts';
import { versionAlarmNames } from '../blueprint/rollout/version-alarms.ts';

/** An accepted finding, on which resources, and why. */
export interface Acknowledgement {
  readonly rules: readonly string[];
  readonly resourceTypes: readonly string[];
  /** In the construct's path. @default - every resource of the type */
  readonly path?: RegExp;
  readonly reason: string;
}

const versionAlarms = (environment: string): string =>
  `arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:${versionAlarmNames(environment)}`;
const usageKeys = Object.values(apiGatewayPaths)
  .flat()
  .filter((path) => path.includes('*'))
  .map((path) => `arn:<AWS::Partition>:apigateway:<AWS::Region>::${path}`);
/** In the stateful stack's bucket, or in the one of another account. */
const archiveObjects = (environment: EnvironmentName, folder: string): string => {
  const { bucketName }: Environment['archive'] = environments[environment].archive;
  return bucketName === undefined
    ? `AwsSolutions-IAM5[Resource::plangrep-cancellation-${environment}-stateful:ExportsOutputFnGetAttArchiveBucketArnF44200DF/${folder}*]`
    : `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${bucketName}/${folder}*]`;
};
const managedBackupRoles = ['Backup', 'Restores'].map(
  (what) => `Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyFor${what}`,
);
const managedLogRole = 'Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs';

/** At most eight, which a test checks; each as narrow as possible. */
export const acknowledgements: readonly Acknowledgement[] = [
  {
    rules: [
      'AwsSolutions-IAM5[Resource::*]',
      'Serverless-LambdaStarPermissions',
      ...environmentNames.map((name) => `AwsSolutions-IAM5[Resource::${versionAlarms(name)}]`),
      ...environmentNames.flatMap((name) =>
        Object.values(archiveFolders).map((folder) => archiveObjects(name, folder)),
      ),
      ...usageKeys.map((arn) => `AwsSolutions-IAM5[Resource::${arn}]`),
    ],
    resourceTypes: ['AWS::IAM::Role'],
    path: /^Service\/((Sandbox\/)?[a-z-]+\/Permissions|Rollout|OperatorRoles\/manage-partners)\/Role\/Resource$/,
    reason:
      'X-Ray has no resources, so its two actions must be on *. The alarms that a canary heeds have the version in their names, API Gateway chooses the ids of its keys and plans, and the roles of the archive are for the objects of a folder. A test checks that nothing else is.',
  },
  {
    rules: ['AwsSolutions-SQS3', 'Serverless-SQSRedrivePolicy'],
    resourceTypes: ['AWS::SQS::Queue'],
    path: /\/(DeadLetters|Undelivered|Missed|Unsent|WakeUps\/Queue)\/Resource$/,
    reason:
      "The queue is itself the dead-letter queue of a queue, rule, stream's reader, schedule or topic (each but the topic's has an alarm), or it is the wake-up queue: the schedule finds what that loses, and an alarm says how often.",
  },
  {
    rules: ['Serverless-LambdaDLQ', 'Serverless-LambdaEventSourceMappingDestination'],
    resourceTypes: ['AWS::Lambda::Function', 'AWS::Lambda::EventSourceMapping'],
    reason:
      'The caller keeps what fails: over HTTPS the partner repeats, the queue has its own dead-letter queue, and the schedule has a destination.',
  },
  {
    rules: ['AwsSolutions-COG4', 'AwsSolutions-APIG2'],
    resourceTypes: ['AWS::ApiGateway::Method', 'AWS::ApiGateway::RestApi'],
    reason:
      'The callers are systems, not users: the authorizer checks partner credentials. The functions validate every request and name each wrong field in a 400, which API Gateway cannot do.',
  },
  {
    rules: ['AwsSolutions-APIG4'],
    resourceTypes: ['AWS::ApiGateway::Method'],
    path: /\/PartnerApi\/Api\/Default\/((openapi\.json|docs|problems)\/|GET\/Resource$|(.+\/)?ANY\/Resource$)/,
    reason:
      "The documentation's pages are public: they show no partner's data, and have their own throttle. An unknown address or method (ANY) is a 404 or 405 for everyone.",
  },
  {
    rules: [managedLogRole, ...managedBackupRoles].map((policy) => `AwsSolutions-IAM4[${policy}]`),
    resourceTypes: ['AWS::IAM::Role'],
    path: /\/CloudWatchRole\/Resource$|^(Backups\/Role|Copies\/RestoreRole)\/Resource$/,
    reason:
      "API Gateway's one role per account for writing logs, and the roles that AWS Backup takes to read and restore tables: AWS maintains their policies.",
  },
  {
    rules: ['AwsSolutions-SMG4'],
    resourceTypes: ['AWS::SecretsManager::Secret'],
    reason:
      "Plangrep has no call that creates a key: an operator rotates it by the runbook, and an alarm says when the key is old. The callbacks' secret would change what every partner verifies with: a partner's own secret is rotated by its version.",
  },
  {
    rules: ['AwsSolutions-S1'],
    resourceTypes: ['AWS::S3::Bucket'],
    path: /\/(AuditWatch\/Evidence|Archive\/Bucket)\/Resource$/,
    reason:
      'Only CloudTrail writes to the one, and two functions to the other: each signs what it wrote, and Object Lock or the digests show the rest.',
  },
];

/** Makes the synth fail on every finding of the AwsSolutions and Serverless packs, including warnings. */
export const addChecks = (app: App): void => {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  const resources = app.node.findAll().filter((construct) => CfnResource.isCfnResource(construct));
  for (const { rules, resourceTypes, path = /^/, reason } of acknowledgements) {
    for (const resource of resources) {
      if (!resourceTypes.includes(resource.cfnResourceType) || !path.test(resource.node.path)) continue;
      Validations.of(resource).acknowledge(...rules.map((id) => ({ id, reason })));
    }
  }
};
