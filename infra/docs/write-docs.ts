import { readFileSync, writeFileSync } from 'node:fs';
import { generateDocs } from './generate-docs.ts';

const root = new URL('../../', import.meta.url);
const files = generateDocs((path) => readFileSync(new URL(path, root), 'utf8'));
for (const [path, text] of files) writeFileSync(new URL(path, root), text);
console.log(`Wrote ${[...files.keys()].join(', ')}.`);
