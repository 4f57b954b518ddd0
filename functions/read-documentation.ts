import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { serveDocumentation } from './pages/serve-documentation.ts';

/** The public pages: the reference, the OpenAPI description, the problems. */
export const handler = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => serveDocumentation(event);
