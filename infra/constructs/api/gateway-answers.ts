import { type RestApi, ResponseType } from 'aws-cdk-lib/aws-apigateway';
import { problemContentType } from '../../../functions/contract/problems.ts';
import {
  gatewayResponseHead,
  gatewayResponses,
  gatewayResponseTemplate,
  type GatewayResponseType,
} from '../../blueprint/api.ts';

const types = Object.keys(gatewayResponses).filter((name): name is GatewayResponseType => name in gatewayResponses);

/** API Gateway's own answers, every one as infra/blueprint/gateway-responses.ts words it. */
export const addGatewayAnswers = (api: RestApi): void => {
  for (const type of types) {
    const { statusCode, headers } = gatewayResponseHead(type);
    const template = gatewayResponseTemplate(type);
    api.addGatewayResponse(type, {
      type: ResponseType.of(type),
      statusCode: String(statusCode),
      responseHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `'${value}'`])),
      // API Gateway picks a template by the caller's Accept header and falls back to application/json.
      templates: { 'application/json': template, [problemContentType]: template },
    });
  }
};
