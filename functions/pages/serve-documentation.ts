import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { send } from '../doors/http/answer.ts';
import { headerValues } from '../doors/http/read-input.ts';
import { type Asset, createAsset, findPageAsset, openApiDescription } from './assets.ts';
import { isProblemCode, renderProblem, renderProblemList } from './render-problems.ts';
import { renderReference } from './render-reference.ts';

const page = (text: string): Asset => createAsset('text/html', text);
const reference = page(renderReference());
const problemList = page(renderProblemList());

/** Scripts and requests of this origin alone. The explorer writes its theme as inline style, so that must be allowed. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const keepForEver = 'public, max-age=31536000, immutable';
const askAgain = 'public, no-cache';

/** By the route's template, as `infra/blueprint/routes.ts` has it. */
const find = ({ resource, pathParameters }: APIGatewayProxyEvent): readonly [Asset | undefined, string] => {
  switch (resource) {
    case '/openapi.json':
      return [openApiDescription, askAgain];
    case '/docs':
      return [reference, askAgain];
    case '/docs/{asset}':
      return [findPageAsset(pathParameters?.['asset'] ?? ''), keepForEver];
    case '/problems':
      return [problemList, askAgain];
    case '/problems/{code}': {
      const code = pathParameters?.['code'] ?? '';
      return [isProblemCode(code) ? page(renderProblem(code)) : undefined, askAgain];
    }
    default:
      return [undefined, askAgain];
  }
};

/**
 * The documentation's pages, without a credential: they hold nothing but what the API says of itself. An answer that the
 * caller has already is a 304 (RFC 9110, section 13.1.2). API Gateway compresses.
 */
export const serveDocumentation = (event: APIGatewayProxyEvent): APIGatewayProxyResult => {
  const { requestId } = event.requestContext;
  const [asset, cacheControl] = find(event);
  if (asset === undefined) {
    return send({ kind: 'problem', code: 'route_not_found', detail: 'This page does not exist.' }, requestId);
  }
  const etag = `W/"${asset.hash}"`;
  const headers = {
    'Content-Type': asset.contentType,
    'Cache-Control': cacheControl,
    'Content-Security-Policy': contentSecurityPolicy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    ETag: etag,
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': requestId,
  };
  const known = headerValues(event, 'if-none-match').flatMap((value) => value.split(',').map((tag) => tag.trim()));
  return known.includes(etag) ? { statusCode: 304, headers, body: '' } : { statusCode: 200, headers, body: asset.text };
};
