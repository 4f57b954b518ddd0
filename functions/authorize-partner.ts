import type { APIGatewayAuthorizerResult, APIGatewayTokenAuthorizerEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import { readConfiguration, variables } from './adapters/configuration.ts';
import { createDynamoDbClient } from './adapters/dynamodb/dynamodb.ts';
import { createReadPartnerKey } from './adapters/dynamodb/partners.ts';
import { systemClock } from './adapters/system-clock.ts';
import { checkCredential } from './doors/http/check-credential.ts';

const configuration = readConfiguration(z.pick(variables, { ENVIRONMENT: true, PARTNERS_TABLE: true }));
const dependencies = {
  readPartnerKey: createReadPartnerKey(createDynamoDbClient(), configuration.PARTNERS_TABLE),
  clock: systemClock,
  environment: configuration.ENVIRONMENT,
};

/**
 * Answers for the whole stage, since API Gateway caches the answer by credential (at most 60 s) and asks again for no
 * other route; each function checks its scope. The error's text is the word by which API Gateway knows a 401 (API
 * Gateway Developer Guide, Output from an API Gateway Lambda authorizer).
 */
export const handler = async (event: APIGatewayTokenAuthorizerEvent): Promise<APIGatewayAuthorizerResult> => {
  const credential = await checkCredential(dependencies, event.authorizationToken);
  if (credential === undefined) throw new Error('Unauthorized');
  const { partnerId, keyId, scopes } = credential;
  const [api = '', stage = ''] = event.methodArn.split('/');
  return {
    principalId: partnerId,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: `${api}/${stage}/*` }],
    },
    context: { partnerId, keyId, scopes: scopes.join(' ') },
  };
};
