import type * as z from 'zod/mini';
import { validate } from '../loopback.ts';
import { S3Error } from './s3-error.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** An element's content: text, or children; a list repeats its element, and undefined is left out. */
export type Content = string | number | boolean | undefined | Children | readonly Children[];
export interface Children {
  readonly [name: string]: Content;
}

/** An answer's document, as S3 writes it. */
export function writeXml(root: string, children: Children): string {
  const inRoot = Object.entries(children).map(([name, content]) => element(name, content));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${inRoot.join('')}</${root}>`;
}

function element(name: string, content: Content): string {
  if (content === undefined) return '';
  if (isList(content)) return content.map((one) => element(name, one)).join('');
  const inside =
    typeof content === 'object'
      ? Object.entries(content).map(([child, inner]) => element(child, inner))
      : [escapeText(String(content))];
  return `<${name}>${inside.join('')}</${name}>`;
}

function isList(content: Content): content is readonly Children[] {
  return Array.isArray(content);
}

function escapeText(text: string): string {
  const references: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  // XML 1.0 has no other way to write a carriage return, and none at all for the other control characters: S3's `encoding-type=url` is for these.
  return text.replace(/[&<>"]/g, (sign) => references[sign] ?? sign).replace(/\r/g, '&#13;');
}

interface Read {
  [name: string]: string | Read;
}

/**
 * Reads a request's document: elements with text or with children, each name once, as S3's settings are.
 * @param root the name of the outermost element
 * @throws S3Error for a document that is not well-formed, or that has something else in it
 */
export function readXml<Output>(body: Buffer, root: string, schema: z.ZodMiniType<Output>): Output {
  const validated = validate(schema, parse(body.toString(), root));
  if (validated.valid) return validated.value;
  throw malformed(validated.message);
}

function malformed(why: string): S3Error {
  return new S3Error('MalformedXML', `The XML is not well-formed, or not what is expected here: ${why}`);
}

const token = /<\?[^>]*\?>|<(\/?)([A-Za-z]\w*)((?:\s+[\w:]+="[^"]*")*)\s*(\/?)>|([^<]+)/gy;

function parse(text: string, root: string): string | Read {
  const outermost: Read = {};
  const open: { readonly name: string; readonly children: Read; text: string }[] = [];
  let at = 0;
  for (const found of text.matchAll(token)) {
    at = found.index + found[0].length;
    const [, closing, name, , isEmpty, characters] = found;
    const current = open.at(-1);
    if (characters !== undefined) {
      if (current !== undefined) current.text += characters;
      else if (characters.trim() !== '') throw malformed('text outside of the root element');
    }
    if (name === undefined) continue;
    if (closing !== '/') open.push({ name, children: {}, text: '' });
    if (closing !== '/' && isEmpty !== '/') continue;
    const ended = open.pop();
    if (ended?.name !== name) throw malformed(`</${name}> has no beginning`);
    const parent = open.at(-1)?.children ?? outermost;
    if (Object.hasOwn(parent, name)) throw malformed(`${name} twice`);
    const hasChildren = Object.keys(ended.children).length > 0;
    parent[name] = hasChildren || ended.text.trim() === '' ? ended.children : unescapeText(ended.text.trim());
  }
  const document = outermost[root];
  if (at !== text.length || open.length > 0 || document === undefined || Object.keys(outermost).length > 1) {
    throw malformed(`one element ${root} is expected`);
  }
  return document;
}

function unescapeText(text: string): string {
  const characters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(\w+);/g, (all, name: string) => characters[name] ?? all);
}
