import type { Random } from '../simulation/random.ts';

const deep = (depth: number, open: string, close: string): string => `${open.repeat(depth)}1${close.repeat(depth)}`;

/** JSON texts that no caller means well with. Some are no JSON: `NaN`, `01`. */
const nastyJson = [
  'null',
  'true',
  'NaN',
  '-0',
  '01',
  '1e400',
  '-1e400',
  '1e308',
  '1e-400',
  '9007199254740993',
  '123456789012345678901234567890123456789012345678901234567890',
  '-1',
  '1.5',
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud83d"',
  '"\\udc00x"',
  '"\\u200b"',
  '"\\ufeff"',
  '"\\ufffd"',
  '"order-own\ufffd"',
  '"e\\u0301"',
  '"\\u202eabc"',
  '"\\u007f\\u0085"',
  '"__proto__"',
  '"constructor"',
  '"../../x"',
  '"%2e%2e"',
  '"%00"',
  '"a#b#c"',
  '"$where"',
  '"\'; DROP TABLE x"',
  '"{{7*7}}"',
  '"\r\n X: y"',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"S":"x"}',
  '{"__proto__":{"jobId":"x"}}',
  '{"toString":null,"length":-1}',
  `"${'x'.repeat(181)}"`,
  `"${'x'.repeat(501)}"`,
  `"${'😀'.repeat(180)}"`,
  `"${'😀'.repeat(181)}"`,
  `"${'y'.repeat(9_000)}"`,
  deep(500, '[', ']'),
  deep(500, '{"a":', '}'),
  deep(100_000, '[', ']'),
] as const;

export const nastyValue = (random: Random): string => {
  const [first, ...rest] = nastyJson;
  return random.pick([first, ...rest]);
};

const nastyKeys = [
  '__proto__',
  'constructor',
  'partnerId',
  'force',
  'toString',
  '',
  '\\u0000',
  '\\ud800',
  'jobId ',
] as const;
const nastyKey = (random: Random): string => random.pick(nastyKeys);

/** For where plain text goes: a header, a query, a part of a path. */
const nastyTexts = [
  '',
  ' ',
  '..',
  '.',
  '%2e%2e',
  '%2E%2E%2F',
  '%',
  '%00',
  '%ff',
  '%E0%A4%A',
  '%E9',
  'order-own\ufffd',
  'a/b',
  'a\\b',
  'a#b',
  'a?b',
  'a b',
  '\u0000',
  'a\r\nX: y',
  '\ud800',
  'ü✏️',
  '😀',
  '__proto__',
  'constructor',
  'undefined',
  'null',
  'x'.repeat(128),
  'x'.repeat(129),
  'x'.repeat(256),
  'x'.repeat(10_000),
  '*',
  '{jobId}',
] as const;
export const nastyText = (random: Random): string => random.pick(nastyTexts);

/** A flat object as JSON text: pairs, so that keys may repeat and values be no JSON. */
export type Pairs = readonly (readonly [key: string, json: string])[];
const write = (pairs: Pairs): string => `{${pairs.map(([key, json]) => `"${key}":${json}`).join(',')}}`;

/** One to three changes of a flat JSON object, and of its text. */
export const mutateJson = (random: Random, valid: Pairs): string => {
  let pairs = [...valid];
  const change = (): void => {
    const at = random.between(0, Math.max(0, pairs.length - 1));
    const [key = 'externalId', json = '""'] = pairs[at] ?? [];
    switch (random.between(0, 5)) {
      case 0:
      case 1:
        pairs[at] = [key, nastyValue(random)];
        break;
      case 2:
        pairs.push([nastyKey(random), nastyValue(random)]);
        break;
      case 3:
        pairs.push([key, random.chance(0.5) ? json : nastyValue(random)]);
        break;
      case 4:
        pairs = pairs.filter((_, n) => n !== at);
        break;
      default:
        pairs[at] = [nastyKey(random), json];
    }
  };
  for (let n = random.pick([0, 0, 1, 1, 2]); n > 0; n -= 1) change();
  return random.chance(0.25) ? mutateText(random, write(pairs)) : write(pairs);
};

export const mutateText = (random: Random, text: string): string => {
  const at = random.between(0, text.length);
  switch (random.between(0, 8)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(at);
    case 2:
      return `${text.slice(0, at)}${nastyText(random)}${text.slice(at)}`;
    case 3:
      return `${text.slice(0, at)}${String.fromCharCode(random.between(0, 0xffff))}${text.slice(at + 1)}`;
    case 4:
      return `[${text}]`;
    case 5:
      return `\ufeff${text}`;
    case 6:
      return text + ' '.repeat(random.pick([1, 8_192, 20_000]));
    case 7:
      return `${text}${text}`;
    default:
      return nastyValue(random);
  }
};

/** Bytes that may be no UTF-8. */
export const mutateBytes = (random: Random, bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  for (let n = random.between(1, 4); n > 0 && copy.length > 0; n -= 1) {
    copy[random.between(0, copy.length - 1)] = random.pick([
      0x00,
      0x80,
      0xc0,
      0xed,
      0xf5,
      0xff,
      random.between(0, 255),
    ]);
  }
  return copy;
};
