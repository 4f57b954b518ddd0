import type { PartnerId } from '../../core/identifiers.ts';
import { sha256 } from '../../core/sha256.ts';

/**
 * By which API Gateway knows a partner in its usage plans: letters and digits, 20 to 128 of them, the same for all
 * credentials of the partner, and unique in an account that has several environments. It is not a secret: API Gateway
 * takes it from the authorizer alone (`apiKeySource: AUTHORIZER`) and never from a request, so it opens nothing.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
 */
export function usageKeyOf(environment: string, partnerId: PartnerId): string {
  return sha256(`plangrep-cancellation ${environment} ${partnerId}`);
}
