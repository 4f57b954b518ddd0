import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { headerValues } from '../doors/http/read-input.ts';
import { problem, send } from '../doors/http/serve.ts';
import { description } from './openapi-document.ts';
import { type Asset, createAsset, findAsset } from './page-assets.ts';
import { renderFront } from './render-front.ts';
import { isProblemCode, renderMissingPage, renderProblem, renderProblemList } from './render-problems.ts';
import { renderReference } from './render-reference.ts';

const createPage = (html: string): Asset => createAsset('text/html', html);

const openApiDescription = createAsset('application/json', JSON.stringify(description));
const front = createPage(renderFront());
const reference = createPage(renderReference());
const problemList = createPage(renderProblemList());

/** Files and requests of this origin alone; nothing inline. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the documentation without a credential: it contains only what the API says about itself. An answer that the
 * caller already has is a 304 (RFC 9110, section 13.1.2). API Gateway compresses.
 */
export function serveDocumentation(event: APIGatewayProxyEvent): APIGatewayProxyResult {
  const { requestId } = event.requestContext;
  const page = findPage(event);
  if (page === undefined) return answerMissingPage(event);
  const address = addressOf(event);
  if (address !== undefined) return redirectTo(address, requestId);
  const etag = `W/"${page.hash}"`;
  const headers = { ...headersOf(page, requestId), 'Cache-Control': page.cacheControl, ETag: etag };
  const known = headerValues(event, 'if-none-match').flatMap((value) => value.split(',').map((tag) => tag.trim()));
  return known.includes(etag) ? { statusCode: 304, headers, body: '' } : { statusCode: 200, headers, body: page.text };
}

function headersOf({ contentType }: Asset, requestId: string): Record<string, string> {
  return {
    'Content-Type': contentType,
    'Content-Security-Policy': contentSecurityPolicy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': requestId,
  };
}

/** A person gets a page with the way back, a program the problem. */
function answerMissingPage(event: APIGatewayProxyEvent): APIGatewayProxyResult {
  const { requestId } = event.requestContext;
  if (!headerValues(event, 'accept').some((value) => value.includes('text/html'))) {
    return send(problem('route_not_found', 'This page does not exist.'), requestId);
  }
  const page = createPage(renderMissingPage(event.path.endsWith('/') ? '../..' : '..'));
  return { statusCode: 404, headers: { ...headersOf(page, requestId), 'Cache-Control': 'no-store' }, body: page.text };
}

/**
 * API Gateway ignores a slash at the end of a path, and needs none after the stage, but from there a page's relative links
 * lead elsewhere.
 * @returns the address that the page has, relative to the requested one; undefined if that is it
 */
function addressOf({ resource, path, requestContext }: APIGatewayProxyEvent): string | undefined {
  const requested = resource === '/' ? requestContext.path : path;
  const last = requested.split('/').findLast((segment) => segment !== '') ?? '';
  if (resource === '/') return requested.endsWith('/') ? undefined : `${last}/`;
  return requested.endsWith('/') ? `../${last}` : undefined;
}

function redirectTo(address: string, requestId: string): APIGatewayProxyResult {
  const headers = { Location: address, 'Cache-Control': 'no-store', 'X-Request-Id': requestId };
  return { statusCode: 308, headers, body: '' };
}

/** Decides by the route's template in `infra/blueprint`. @returns undefined when there is no such page */
function findPage({ resource, pathParameters }: APIGatewayProxyEvent): Asset | undefined {
  switch (resource) {
    case '/':
      return front;
    case '/openapi.json':
      return openApiDescription;
    case '/docs':
      return reference;
    case '/docs/{asset}':
      return findAsset(pathParameters?.['asset']);
    case '/problems':
      return problemList;
    case '/problems/{code}': {
      const code = pathParameters?.['code'] ?? '';
      return isProblemCode(code) ? createPage(renderProblem(code)) : undefined;
    }
    default:
      return undefined;
  }
}
