import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import { createDocument } from './create-document.ts';

/**
 * `npm run openapi` writes the description, as it is committed and served. With `--release` it becomes the released one,
 * too: later versions may add to that one and must not break its callers.
 */
const { values } = parseArgs({ options: { release: { type: 'boolean', default: false } } });
const root = new URL('../../', import.meta.url);
const packageJson: unknown = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));
const { version } = z.object({ version: z.string() }).parse(packageJson);
const text = `${JSON.stringify(createDocument(version), null, 2)}\n`;
await writeFile(new URL('functions/contract/openapi.json', root), text);
if (values.release) await writeFile(new URL('infra/openapi/released.json', root), text);
