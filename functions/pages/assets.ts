import { createHash } from 'node:crypto';
import explorer from 'openapi-explorer/dist/browser/openapi-explorer.min.js' with { type: 'text' };
import description from '../contract/openapi.json' with { type: 'json' };
import pageStyle from './page.css' with { type: 'text' };
import referenceScript from './reference-page.client.js' with { type: 'text' };
import referenceStyle from './reference-page.css' with { type: 'text' };

/** What is served as it is. */
export interface Asset {
  readonly contentType: string;
  readonly text: string;
  /** The text's hash: its `ETag`, and a part of the name of what may be cached for ever. */
  readonly hash: string;
}

/** @param mediaType without the charset, which is UTF-8 */
export const createAsset = (mediaType: string, text: string): Asset => ({
  contentType: `${mediaType}; charset=utf-8`,
  text,
  hash: createHash('sha256').update(text).digest('base64url').slice(0, 16),
});

/** The OpenAPI description, for whoever generates from it. */
export const openApiDescription = createAsset('application/json', JSON.stringify(description));

/** An asset under a name that changes with its text, so that no browser asks for it twice. */
interface NamedAsset extends Asset {
  readonly name: string;
}

const named = (stem: string, extension: 'css' | 'js', text: string): NamedAsset => {
  const made = createAsset(extension === 'css' ? 'text/css' : 'text/javascript', text);
  return { ...made, name: `${stem}-${made.hash}.${extension}` };
};

export const pageAssets = {
  pageStyle: named('page', 'css', pageStyle),
  referenceStyle: named('reference-page', 'css', referenceStyle),
  referenceScript: named('reference-page', 'js', referenceScript),
  explorer: named('openapi-explorer', 'js', explorer),
};

/** @param name as in the address, `docs/{name}` */
export const findPageAsset = (name: string): Asset | undefined =>
  Object.values(pageAssets).find((candidate) => candidate.name === name);
