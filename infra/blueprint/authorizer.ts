/** The REST API's Lambda authorizer, defined once for the stack and the local gateway. */
export const partnerAuthorizer = {
  function: 'authorize-partner',
  /** What API Gateway lets through to the function at all: everything else is a 401 that costs nothing. */
  identityValidationExpression: '^[Bb]earer +pcg_[a-z]{1,16}_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{43}$',
  /** A revoked credential dies within this time. */
  cacheSeconds: 60,
} as const;
