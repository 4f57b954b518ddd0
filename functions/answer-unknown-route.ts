import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { answerUnknownRoute } from './doors/http/answer-unknown-route.ts';

/** Every address and method that the API does not have. It reads no table, no secret and no credential. */
export const handler = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => answerUnknownRoute(event);
