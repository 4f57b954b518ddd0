import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  type MethodDeploymentOptions,
  MethodLoggingLevel,
  type MethodOptions,
  RestApi,
  TokenAuthorizer,
} from 'aws-cdk-lib/aws-apigateway';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { partnerAuthorizer } from '../../blueprint/authorizer.ts';
import type { Environment } from '../../blueprint/environments.ts';
import type { FunctionName } from '../../blueprint/functions.ts';
import { compressFromBytes, documentationRoutes, type Route, routes } from '../../blueprint/routes.ts';
import { addGatewayAnswers } from './gateway-answers.ts';

export interface PartnerApiProps {
  readonly environment: Environment;
  /** Called by their aliases. */
  readonly functions: Readonly<Record<FunctionName, { readonly alias: IFunction }>>;
}

/**
 * One line a request. `path` has no query string, which is where an externalId would be; neither headers nor bodies
 * are named, so no credential and no free text gets in.
 */
const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    requestId: '$context.requestId',
    time: '$context.requestTimeEpoch',
    sourceIp: '$context.identity.sourceIp',
    httpMethod: '$context.httpMethod',
    path: '$context.path',
    route: '$context.resourcePath',
    status: '$context.status',
    partnerId: '$context.authorizer.partnerId',
    keyId: '$context.authorizer.keyId',
    gatewayResponse: '$context.error.responseType',
    firewallStatus: '$context.waf.status',
    latencyMs: '$context.responseLatency',
    functionMs: '$context.integrationLatency',
    responseBytes: '$context.responseLength',
    traceId: '$context.xrayTraceId',
  }),
);

/** Enough for people who read, and too little to use up the stage's throttle. */
const documentationThrottle = { throttlingRateLimit: 10, throttlingBurstLimit: 50 };

/** For a method whose throttle is its own, too: it inherits nothing. */
const watched: MethodDeploymentOptions = {
  loggingLevel: MethodLoggingLevel.ERROR,
  // Would log whole requests, credentials and all.
  dataTraceEnabled: false,
  metricsEnabled: true,
};

/**
 * The HTTPS door: routes, authorizer and gateway answers as defined once for here and the local gateway.
 *
 * No request validator and no model: theirs would be a 400 without the documented list of `{path, message}`, and
 * another one than the local run gives. The functions check type, size (8 KiB), form and every field before anything
 * else, and API Gateway itself lets through nothing that is no credential by its form.
 */
export class PartnerApi extends Construct {
  readonly api: RestApi;

  constructor(scope: Construct, id: string, { environment, functions }: PartnerApiProps) {
    super(scope, id);
    const { name, throttle, domain, logRetentionDays, setsApiGatewayLogRole } = environment;
    const publicRoutes = environment.documentation ? documentationRoutes : [];
    const removalPolicy = environment.removalPolicy === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const accessLogs = new LogGroup(this, 'AccessLogs', { retention: logRetentionDays, removalPolicy });

    this.api = new RestApi(this, 'Api', {
      restApiName: `plangrep-cancellation-${name}`,
      description: `Cancels Plangrep jobs by a partner's externalId, ${name}`,
      endpointTypes: [EndpointType.REGIONAL],
      // By its other name the API would take requests without a client certificate.
      disableExecuteApiEndpoint: domain !== undefined,
      cloudWatchRole: setsApiGatewayLogRole,
      ...(setsApiGatewayLogRole && { cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN }),
      minCompressionSize: Size.bytes(compressFromBytes),
      deployOptions: {
        stageName: 'live',
        throttlingRateLimit: throttle.ratePerSecond,
        throttlingBurstLimit: throttle.burst,
        accessLogDestination: new LogGroupLogDestination(accessLogs),
        accessLogFormat,
        ...watched,
        tracingEnabled: true,
        methodOptions: Object.fromEntries(
          publicRoutes.map(({ method, path }) => [`${path}/${method}`, { ...watched, ...documentationThrottle }]),
        ),
      },
    });
    const addRoute = ({ method, path, function: handler }: Route, options: MethodOptions): void => {
      const integration = new LambdaIntegration(functions[handler].alias, { allowTestInvoke: false });
      this.api.root.resourceForPath(path).addMethod(method, integration, options);
    };
    const authorizer = this.addAuthorizer(functions[partnerAuthorizer.function].alias);
    for (const route of routes) addRoute(route, { authorizer });
    for (const route of publicRoutes) addRoute(route, { authorizationType: AuthorizationType.NONE });
    addGatewayAnswers(this.api);
    // Limits nothing by itself: a partner gets limits of its own once it has an API key of this plan (decisions.md).
    this.api.addUsagePlan('Partners', {
      name: `plangrep-cancellation-${name}`,
      apiStages: [{ api: this.api, stage: this.api.deploymentStage }],
      throttle: { rateLimit: throttle.ratePerSecond, burstLimit: throttle.burst },
    });
    this.keepExecutionLogs(logRetentionDays, removalPolicy);
  }

  /** Answers for the whole stage, so what is cached for a credential holds for every route. */
  private addAuthorizer(handler: IFunction): TokenAuthorizer {
    return new TokenAuthorizer(this, 'Authorizer', {
      handler,
      validationRegex: partnerAuthorizer.identityValidationExpression,
      resultsCacheTtl: Duration.seconds(partnerAuthorizer.cacheSeconds),
    });
  }

  /** API Gateway would make this group itself, and keep it for ever. */
  private keepExecutionLogs(retention: number, removalPolicy: RemovalPolicy): void {
    const stage = this.api.deploymentStage;
    const logs = new LogGroup(this, 'ExecutionLogs', {
      logGroupName: `API-Gateway-Execution-Logs_${this.api.restApiId}/live`,
      retention,
      removalPolicy,
    });
    stage.node.addDependency(logs);
  }
}
