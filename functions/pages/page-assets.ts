import { createHash } from 'node:crypto';
import components from './browser/components.css' with { type: 'text' };
import copyCode from './browser/copy-code.client.js' with { type: 'text' };
import design from './browser/design.css' with { type: 'text' };
import keepCredential from './browser/keep-credential.client.js' with { type: 'text' };
import nameAddress from './browser/name-address.client.js' with { type: 'text' };
import reference from './browser/reference.css' with { type: 'text' };
import showAnswer from './browser/show-answer.client.js' with { type: 'text' };
import tryOperation from './browser/try-operation.client.js' with { type: 'text' };
import writeCode from './browser/write-code.client.js' with { type: 'text' };

export interface Asset {
  readonly contentType: string;
  readonly cacheControl: string;
  readonly text: string;
  /** The text's hash: its `ETag`, and a part of the name of an asset that may be cached for ever. */
  readonly hash: string;
}

/** @param mediaType without the charset, which is UTF-8 */
export function createAsset(mediaType: string, text: string): Asset {
  return {
    contentType: `${mediaType}; charset=utf-8`,
    cacheControl: 'public, no-cache',
    text,
    hash: createHash('sha256').update(text).digest('base64url').slice(0, 16),
  };
}

export interface NamedAsset extends Asset {
  /** Under `docs/`. It changes with the text, so that no browser requests an asset twice. */
  readonly name: string;
}

function createNamedAsset(stem: string, extension: 'css' | 'js', text: string): NamedAsset {
  const asset = createAsset(extension === 'css' ? 'text/css' : 'text/javascript', text);
  const cacheControl = 'public, max-age=31536000, immutable';
  return { ...asset, cacheControl, name: `${stem}-${asset.hash}.${extension}` };
}

/** @param imports by the name of the file that the script imports, what it is served as */
function createScript(stem: string, text: string, imports: Readonly<Record<string, NamedAsset>> = {}): NamedAsset {
  const served = Object.entries(imports).reduce(
    (changed, [file, { name }]) => changed.replace(`'./${file}.client.js'`, `'./${name}'`),
    text,
  );
  return createNamedAsset(stem, 'js', served);
}

const credential = createScript('keep-credential', keepCredential);
const code = createScript('write-code', writeCode);
const answer = createScript('show-answer', showAnswer, { 'write-code': code });

/** The files that the pages refer to. */
export const assets = {
  design: createNamedAsset('design', 'css', design + components),
  reference: createNamedAsset('reference', 'css', reference),
  copyCode: createScript('copy-code', copyCode),
  nameAddress: createScript('name-address', nameAddress),
  credential,
  code,
  answer,
  tryOperation: createScript('try-operation', tryOperation, {
    'keep-credential': credential,
    'show-answer': answer,
    'write-code': code,
  }),
};

export function findAsset(name: string | undefined): Asset | undefined {
  return Object.values(assets).find((asset) => asset.name === name);
}
