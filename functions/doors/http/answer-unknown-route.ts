import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { allowedMethods } from '../../contract/routes.ts';
import { problem, send } from './serve.ts';

/**
 * Answers a request for an address, or a method of an address, that the API does not have. Never reads the credential
 * or the body. API Gateway calls it for `resource`, the path's template: one of the API's, or one that ends in `{proxy+}`.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6
 */
export function answerUnknownRoute({
  resource,
  httpMethod,
  requestContext,
}: APIGatewayProxyEvent): APIGatewayProxyResult {
  const methods = allowedMethods(resource);
  // With its own method it comes here only where the documentation is not served: `/` has the method ANY even there.
  if (methods.length === 0 || methods.some((method) => method === httpMethod)) {
    return send(problem('route_not_found', 'Check the path: the API has no such address.'), requestContext.requestId);
  }
  const allow = methods.join(', ');
  const refusal = problem('method_not_allowed', `Check the method: this address has ${allow}.`);
  return send({ ...refusal, headers: { Allow: allow } }, requestContext.requestId);
}
