import type { TestedGateway } from './given-gateway.ts';

/** One thing that API Gateway does, and that the local gateway is held to. */
export interface Behaviour {
  /** Names the row. */
  readonly id: string;
  /** What is sent, or how the function behind answers. */
  readonly given: string;
  /** What AWS's documentation says comes of it, in our words. `undefined`: it says nothing, and the row is what others observed. */
  readonly documented: string | undefined;
  /** The page and the section. Of an undocumented behaviour: where AWS could say it. */
  readonly source: string;
  /** What the local gateway does instead, knowingly: docs/gateway.md has the same sentence. */
  readonly differs?: string;
  /** Plays it against the local gateway. */
  readonly play: (gateway: TestedGateway) => Promise<void>;
}

const guide = 'https://docs.aws.amazon.com/apigateway/latest/developerguide';
const notes = `${guide}/api-gateway-known-issues.html#api-gateway-known-issues-rest-apis`;

/** Pages and sections of AWS's documentation. */
export const pages = {
  resources: `${guide}/api-gateway-method-settings-method-request.html#api-gateway-proxy-resource`,
  methods: `${guide}/api-gateway-method-settings-method-request.html#setup-method-add-http-method`,
  anyMethod: `${guide}/api-gateway-swagger-extensions-any-method.html`,
  proxy: `${guide}/set-up-lambda-proxy-integrations.html#api-gateway-create-api-as-simple-proxy`,
  input: `${guide}/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format`,
  output: `${guide}/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format`,
  multiValues: `${guide}/set-up-lambda-proxy-integrations.html#apigateway-multivalue-headers-and-parameters`,
  notes,
  context: `${guide}/api-gateway-mapping-template-reference.html#context-variable-reference`,
  responses: `${guide}/supported-gateway-response-types.html`,
  quotas: `${guide}/api-gateway-execution-service-limits-table.html`,
  encodings: `${guide}/api-gateway-payload-encodings-workflow.html`,
  compressed: `${guide}/api-gateway-make-request-with-compressed-payload.html`,
  compression: `${guide}/api-gateway-receive-response-with-compressed-payload.html`,
  throttling: `${guide}/api-gateway-request-throttling.html#apigateway-how-throttling-limits-are-applied`,
  plans: `${guide}/api-gateway-api-usage-plans.html#api-gateway-api-usage-plans-overview`,
  keySource: `${guide}/api-gateway-api-key-source.html`,
  authorizer: `${guide}/apigateway-use-lambda-authorizer.html`,
  authorizerInput: `${guide}/api-gateway-lambda-authorizer-input.html`,
  authorizerOutput: `${guide}/api-gateway-lambda-authorizer-output.html`,
  authorizerApi: 'https://docs.aws.amazon.com/apigateway/latest/api/API_Authorizer.html',
  lambdaErrors: 'https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html',
  lambdaQuotas:
    'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#function-configuration-deployment-and-execution',
  customized: `${guide}/api-gateway-gatewayResponse-definition.html#customize-gateway-responses`,
  firewall: 'https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html',
  xray: 'https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html',
} as const;
