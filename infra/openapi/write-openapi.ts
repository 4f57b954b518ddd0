import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import { createDocument } from './create-document.ts';
import { descriptionPath, packagePath, releasedPath } from './places.ts';

/**
 * `npm run openapi` writes the description; with `--release` it becomes the released one, too, which later versions may
 * add to and not break.
 */
const { values } = parseArgs({ options: { release: { type: 'boolean', default: false } } });
const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile(packagePath, 'utf8')));
const text = `${JSON.stringify(createDocument(version), null, 2)}\n`;
for (const path of values.release ? [descriptionPath, releasedPath] : [descriptionPath]) await writeFile(path, text);
