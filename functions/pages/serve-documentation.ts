import { createHash } from 'node:crypto';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import explorer from 'openapi-explorer/dist/browser/openapi-explorer.min.js' with { type: 'text' };
import description from '../contract/openapi.json' with { type: 'json' };
import { headerValues } from '../doors/http/read-input.ts';
import { problem, send } from '../doors/http/serve.ts';
import pageStyle from './page.css' with { type: 'text' };
import referenceScript from './reference-page.client.js' with { type: 'text' };
import referenceStyle from './reference-page.css' with { type: 'text' };
import { isProblemCode, renderProblem, renderProblemList, renderReference } from './render-pages.ts';

interface Asset {
  readonly contentType: string;
  readonly cacheControl: string;
  readonly text: string;
  /** The text's hash: its `ETag`, and a part of the name of an asset that may be cached for ever. */
  readonly hash: string;
}

/** @param mediaType without the charset, which is UTF-8 */
function createAsset(mediaType: string, text: string): Asset {
  return {
    contentType: `${mediaType}; charset=utf-8`,
    cacheControl: 'public, no-cache',
    text,
    hash: createHash('sha256').update(text).digest('base64url').slice(0, 16),
  };
}

/** An asset whose name changes with its text, so that no browser requests it twice. */
function createNamedAsset(stem: string, extension: 'css' | 'js', text: string): Asset & { readonly name: string } {
  const asset = createAsset(extension === 'css' ? 'text/css' : 'text/javascript', text);
  const cacheControl = 'public, max-age=31536000, immutable';
  return { ...asset, cacheControl, name: `${stem}-${asset.hash}.${extension}` };
}

const assets = {
  pageStyle: createNamedAsset('page', 'css', pageStyle),
  referenceStyle: createNamedAsset('reference-page', 'css', referenceStyle),
  referenceScript: createNamedAsset('reference-page', 'js', referenceScript),
  explorer: createNamedAsset('openapi-explorer', 'js', explorer),
};
const openApiDescription = createAsset('application/json', JSON.stringify(description));
const reference = createPage(renderReference(assets));
const problemList = createPage(renderProblemList(assets));

function createPage(html: string): Asset {
  return createAsset('text/html', html);
}

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

/**
 * Serves the documentation without a credential: it contains only what the API says about itself. An answer that the
 * caller already has is a 304 (RFC 9110, section 13.1.2). API Gateway compresses.
 */
export function serveDocumentation(event: APIGatewayProxyEvent): APIGatewayProxyResult {
  const { requestId } = event.requestContext;
  const asset = findAsset(event);
  if (asset === undefined) return send(problem('route_not_found', 'This page does not exist.'), requestId);
  if (event.path.endsWith('/')) return redirectWithoutSlash(event);
  const etag = `W/"${asset.hash}"`;
  const headers = {
    'Content-Type': asset.contentType,
    'Cache-Control': asset.cacheControl,
    'Content-Security-Policy': contentSecurityPolicy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    ETag: etag,
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': requestId,
  };
  const known = headerValues(event, 'if-none-match').flatMap((value) => value.split(',').map((tag) => tag.trim()));
  return known.includes(etag) ? { statusCode: 304, headers, body: '' } : { statusCode: 200, headers, body: asset.text };
}

/** API Gateway ignores a slash at the end of a path, but from such an address a page's relative links lead elsewhere. */
function redirectWithoutSlash({ path, requestContext }: APIGatewayProxyEvent): APIGatewayProxyResult {
  const page = path.split('/').at(-2) ?? '';
  const headers = { Location: `../${page}`, 'Cache-Control': 'no-store', 'X-Request-Id': requestContext.requestId };
  return { statusCode: 308, headers, body: '' };
}

/** Decides by the route's template in `infra/blueprint`. @returns undefined when there is no such page */
function findAsset({ resource, pathParameters }: APIGatewayProxyEvent): Asset | undefined {
  switch (resource) {
    case '/openapi.json':
      return openApiDescription;
    case '/docs':
      return reference;
    case '/docs/{asset}':
      return Object.values(assets).find(({ name }) => name === pathParameters?.['asset']);
    case '/problems':
      return problemList;
    case '/problems/{code}': {
      const code = pathParameters?.['code'] ?? '';
      return isProblemCode(code) ? createPage(renderProblem(assets, code)) : undefined;
    }
    default:
      return undefined;
  }
}
