import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  ApiKeySourceType,
  AuthorizationType,
  CfnRestApi,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  type MethodDeploymentOptions,
  MethodLoggingLevel,
  type MethodOptions,
  Period,
  ResponseType,
  RestApi,
  TokenAuthorizer,
} from 'aws-cdk-lib/aws-apigateway';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { problemContentType } from '../../../functions/contract/problems.ts';
import {
  compressFromBytes,
  documentationRoutes,
  gatewayResponseHead,
  gatewayResponseTemplate,
  gatewayResponseTypes,
  partnerAuthorizer,
  type Route,
  routes,
  type UnknownRoute,
  unknownRoutes,
} from '../../blueprint/api.ts';
import type { Environment } from '../../blueprint/environment-schema.ts';
import type { FunctionName } from '../../blueprint/functions.ts';
import { usagePlanName } from '../../blueprint/usage-plans.ts';

export interface PartnerApiProps {
  readonly environment: Environment;
  /** Called by their aliases. */
  readonly functions: Readonly<Record<FunctionName, { readonly alias: IFunction }>>;
}

/**
 * One line for each request. `path` is without the query string, which may hold an externalId, and the line names no
 * header and no body: no credential gets in. `path` is there for the jobId in it, and as the caller wrote it: a caller that
 * puts an externalId into the address, where none belongs, has it here.
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
    functionRequestId: '$context.integration.requestId',
    authorizerRequestId: '$context.authorizer.requestId',
    responseBytes: '$context.responseLength',
    traceId: '$context.xrayTraceId',
  }),
);

/** Enough for readers, too little to use up the stage's throttle. */
const documentationThrottle = { throttlingRateLimit: 10, throttlingBurstLimit: 50 };

/** A method with its own throttle inherits nothing, so it gets these settings too. */
const watched: MethodDeploymentOptions = {
  loggingLevel: MethodLoggingLevel.ERROR,
  // A data trace logs whole requests, with their credentials.
  dataTraceEnabled: false,
  metricsEnabled: true,
};

/**
 * The HTTPS door, as infra/blueprint/api.ts defines it for here and the local gateway.
 *
 * No request validator and no model: their 400 has no list of `{path, message}`, and differs from the local run's. The
 * functions check type, size (8 KiB), form and every field first; API Gateway checks the form of the credential.
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
      // Under its other name the API would accept requests without a client certificate.
      disableExecuteApiEndpoint: domain !== undefined,
      cloudWatchRole: setsApiGatewayLogRole,
      ...(setsApiGatewayLogRole && { cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN }),
      // A key in a request counts for nothing: only the authorizer says which partner's plan applies.
      apiKeySourceType: ApiKeySourceType.AUTHORIZER,
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
    this.refuseOldTls(domain === undefined);
    const addRoute = ({ method, path, function: handler }: Route | UnknownRoute, options: MethodOptions): void => {
      // One permission for all of ANY: each is a statement in the function's policy, which may have 20 KB.
      const permission = method === 'ANY' ? { scopePermissionToMethod: false } : { allowTestInvoke: false };
      const integration = new LambdaIntegration(functions[handler].alias, permission);
      this.api.root.resourceForPath(path).addMethod(method, integration, options);
    };
    const authorizer = this.addAuthorizer(functions[partnerAuthorizer.function].alias);
    for (const route of routes) addRoute(route, { authorizer, apiKeyRequired: true });
    for (const route of [...publicRoutes, ...unknownRoutes([...routes, ...publicRoutes])]) {
      addRoute(route, { authorizationType: AuthorizationType.NONE });
    }
    this.addGatewayResponses();
    this.addPlans(environment);
    this.keepExecutionLogs(logRetentionDays, removalPolicy);
  }

  /**
   * API Gateway's own address would take TLS 1.0 and 1.1. (With a domain it is switched off, and the domain's policy counts.)
   * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html
   */
  private refuseOldTls(isReached: boolean): void {
    const { defaultChild } = this.api.node;
    if (!isReached || !CfnRestApi.isCfnRestApi(defaultChild)) return;
    defaultChild.securityPolicy = 'SecurityPolicy_TLS13_1_2_2021_06';
    // The name in the handshake and the Host header must be this API's.
    defaultChild.endpointAccessMode = 'STRICT';
  }

  /** `ops partner add` puts a partner's key into one of them. Each limit is for one key, so for one partner. */
  private addPlans({ name: environment, plans }: Environment): void {
    for (const [name, { ratePerSecond, burst, requestsPerDay }] of Object.entries(plans)) {
      this.api.addUsagePlan(`Plan-${name}`, {
        name: usagePlanName(environment, name),
        apiStages: [{ api: this.api, stage: this.api.deploymentStage }],
        throttle: { rateLimit: ratePerSecond, burstLimit: burst },
        quota: { limit: requestsPerDay, period: Period.DAY },
      });
    }
  }

  /** Answers for the whole stage: a cached answer for a credential holds for every route. */
  private addAuthorizer(handler: IFunction): TokenAuthorizer {
    return new TokenAuthorizer(this, 'Authorizer', {
      handler,
      validationRegex: partnerAuthorizer.identityValidationExpression,
      resultsCacheTtl: Duration.seconds(partnerAuthorizer.cacheSeconds),
    });
  }

  private addGatewayResponses(): void {
    for (const type of gatewayResponseTypes) {
      const { statusCode, headers } = gatewayResponseHead(type);
      const template = gatewayResponseTemplate(type);
      this.api.addGatewayResponse(type, {
        type: ResponseType.of(type),
        statusCode: String(statusCode),
        responseHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `'${value}'`])),
        // API Gateway chooses a template by the caller's Accept header and falls back to application/json.
        templates: { 'application/json': template, [problemContentType]: template },
      });
    }
  }

  /** Without this, API Gateway creates the group itself and keeps its lines for ever. */
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
