import { type App, CfnResource, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';

/** A finding that stands, on which resources, and why. */
export interface Acknowledgement {
  readonly rules: readonly string[];
  readonly resourceTypes: readonly string[];
  /** In the construct's path. @default - every resource of the type */
  readonly path?: RegExp;
  readonly reason: string;
}

const managedLogRole = 'Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs';

/** At most eight, says the project; each as narrow as it can be. */
export const acknowledgements: readonly Acknowledgement[] = [
  {
    rules: ['AwsSolutions-IAM5[Resource::*]', 'Serverless-LambdaStarPermissions'],
    resourceTypes: ['AWS::IAM::Role'],
    path: /^Service\/(Sandbox\/)?[a-z-]+\/Permissions\/Role\/Resource$/,
    reason: 'X-Ray knows no resources: its two actions are on * or not at all. A test holds that nothing else is.',
  },
  {
    rules: ['AwsSolutions-SQS3', 'Serverless-SQSRedrivePolicy'],
    resourceTypes: ['AWS::SQS::Queue'],
    path: /\/(DeadLetters|Undelivered|Missed|Unsent)\/Resource$/,
    reason:
      "A dead-letter queue itself, of a queue, a rule, a pipe, a schedule or a topic: the end of the line. Each but the topic's has an alarm.",
  },
  {
    rules: ['Serverless-LambdaDLQ', 'Serverless-LambdaEventSourceMappingDestination'],
    resourceTypes: ['AWS::Lambda::Function', 'AWS::Lambda::EventSourceMapping'],
    reason:
      'What fails is kept by who called: over HTTPS the caller repeats; the queue has its dead-letter queue, and Lambda takes no other for it; the schedule has a destination.',
  },
  {
    rules: ['AwsSolutions-COG4', 'AwsSolutions-APIG2'],
    resourceTypes: ['AWS::ApiGateway::Method', 'AWS::ApiGateway::RestApi'],
    reason:
      'The callers are systems, not users: their methods have the authorizer of partner credentials. The functions check every request, and word a 400 field by field; API Gateway could only say that it is one.',
  },
  {
    rules: ['AwsSolutions-APIG4'],
    resourceTypes: ['AWS::ApiGateway::Method'],
    path: /\/PartnerApi\/Api\/Default\/(openapi\.json|docs|problems)\//,
    reason:
      "The documentation's pages, for anybody: they hold nothing that is anybody's, and have a throttle of their own.",
  },
  {
    rules: [`AwsSolutions-IAM4[${managedLogRole}]`],
    resourceTypes: ['AWS::IAM::Role'],
    path: /\/CloudWatchRole\/Resource$/,
    reason: "API Gateway's one role per account for writing logs: shared by every API in it, and AWS's to keep right.",
  },
  {
    rules: ['AwsSolutions-SMG4'],
    resourceTypes: ['AWS::SecretsManager::Secret'],
    reason:
      "Plangrep has no call that makes a key: a person rotates it, by the runbook, and an alarm says when it's old.",
  },
  {
    rules: ['AwsSolutions-S1'],
    resourceTypes: ['AWS::S3::Bucket'],
    path: /\/AuditWatch\/Evidence\/Resource$/,
    reason: 'CloudTrail writes to it and signs what it wrote; nothing reads it day by day.',
  },
];

/** Makes every finding of the AwsSolutions and Serverless packs, a warning too, fail the synth. */
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
