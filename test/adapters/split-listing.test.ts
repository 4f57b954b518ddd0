import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createListingSplitter } from '../../functions/adapters/plangrep/split-listing.ts';

/** What the splitter makes of a body that arrives in chunks of this size: its entries as texts, or why there are none. */
function split(body: string | Buffer, chunkBytes = Number.POSITIVE_INFINITY): readonly (string | undefined)[] | string {
  const bytes = Buffer.from(body);
  const taken: string[] = [];
  const splitter = createListingSplitter((json) => taken.push(json.toString()) > 0);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    if (!splitter.take(bytes.subarray(at, at + chunkBytes))) return 'stopped';
  }
  const numbers = splitter.finish();
  return numbers?.map((number) => (number === undefined ? undefined : taken[number])) ?? 'not a list';
}
const chunkSizes = [1, 2, 3, 7, 64, Number.POSITIVE_INFINITY];

test('any list is cut as JSON.parse would read it, however it is spelled and wherever its chunks end', () => {
  const other = fc.dictionary(
    fc.string().filter((name) => name !== 'jobs'),
    fc.jsonValue(),
    { maxKeys: 3 },
  );
  const spaces = fc.constantFrom('', ' ', '\n\t', '    ');
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue()),
      other,
      other,
      spaces,
      fc.constantFrom(...chunkSizes),
      (jobs, one, two, indent, size) => {
        const body = JSON.stringify({ ...one, jobs, ...two }, null, indent);
        const parsed = (JSON.parse(body) as { jobs: unknown[] }).jobs;

        const entries = split(body, size);

        expect(Array.isArray(entries) && entries.map((entry) => entry && JSON.parse(entry))).toEqual(
          parsed.map((entry) => (typeof entry === 'object' && entry !== null ? entry : undefined)),
        );
      },
    ),
    { numRuns: 1_000 },
  );
});

/** The list in a text, as JSON.parse reads it. */
function parseList(text: string): readonly unknown[] | undefined {
  try {
    const { jobs } = JSON.parse(text);
    return Array.isArray(jobs) ? jobs : undefined;
  } catch {
    return undefined;
  }
}

test('with any byte replaced, removed or added, a body is a list where it is one for JSON.parse', () => {
  const job = { id: 'job_1', externalId: 'a "quoted" \\ {order} [7]', files: [{ fileName: 'é,😀' }], error: null };
  const good = Buffer.from(JSON.stringify({ jobs: [job, job, job], more: { pages: [1, [2]] } }));
  fc.assert(
    fc.property(
      fc.nat(good.length - 1),
      fc.nat(255),
      fc.constantFrom(0, 1),
      fc.boolean(),
      (at, byte, removed, adds) => {
        const body = Buffer.concat([
          good.subarray(0, at),
          Buffer.from(adds ? [byte] : []),
          good.subarray(at + removed),
        ]);
        const entries = split(body);
        const whole =
          typeof entries === 'string'
            ? undefined
            : parseList(`{"jobs":[${entries.map((entry) => entry ?? 0).join()}]}`);

        // What is not in the list is not parsed, so damage there does not matter.
        const parsed = parseList(body.toString()) ?? (whole && parseList(good.toString()));

        expect(whole).toEqual(parsed);
      },
    ),
    { numRuns: 3_000 },
  );
});

describe.each(chunkSizes)('in chunks of %s bytes', (size) => {
  test.each([
    ['{"jobs":[]}', []],
    ['\ufeff {"jobs" : [ ] } \n', []],
    ['{"jobs":[{"a":"]}"},{"b":"\\\\"},{"c":"\\""}]}', ['{"a":"]}"}', '{"b":"\\\\"}', '{"c":"\\""}']],
    ['{"jobs":[7,null,"x",[1],{}]}', [undefined, undefined, undefined, '[1]', '{}']],
    ['{"links":[{"rel":"next"}],"jobs":[{"a":1}],"meta":{"jobs":[{"b":2}]}}', ['{"a":1}']],
    ['{"j\\u006fbs":[{"a":1}]}', ['{"a":1}']],
    ['{"jobs":null,"jobs":[{"a":1}]}', ['{"a":1}']],
  ])('%s has the entries %j', (body, entries) => {
    expect(split(body, size)).toEqual(entries);
  });

  test.each([
    '',
    '[]',
    '[{"a":1}]',
    'null',
    '<html><body>{"jobs":[]}</body></html>',
    '{"job":[]}',
    '{"jobs":7}',
    '{"jobs":{"a":{}}}',
    '{"jobs":null}',
    '{"jobs":[{"a":1}]',
    '{"jobs":[{"a":1}',
    '{"jobs":[{"a":1},',
    '{"jobs":[{"a":"x',
    '{"jobs":[{"a":"x\\',
    '{"jobs":[{"a":1} {"b":2}]}',
    '{"jobs":[{"a":1},]}',
    '{"jobs":[{"a":1}]}]}',
    '{"jobs":[{"a":1}]}{"jobs":[]}',
    '{"jobs":[{"a":1}],"jobs":[{"b":2}]}',
    '{"jobs":[{"a":1}],"jobs":[]}',
  ])('%s is not a list', (body) => {
    expect(split(body, size)).toBe('not a list');
  });
});

describe('what is kept is bounded', () => {
  test('an entry has at most 256 KiB', () => {
    const entry = (bytes: number) => `{"jobs":[{"a":"${'x'.repeat(bytes - 8)}"}]}`;

    expect(split(entry(256 * 1024), 65_536)).toHaveLength(1);
    expect(split(entry(256 * 1024 + 70_000), 65_536)).toBe('stopped');
    expect(split(`{"jobs":[{"a":"${'x'.repeat(300_000)}`)).toBe('stopped');
  });

  test('what is not an entry has at most 8 MiB', () => {
    const spaces = ' '.repeat(8 * 1024 * 1024);

    expect(split(`{"jobs":[{"a":1}]}${spaces.slice(100)}`, 65_536)).toEqual(['{"a":1}']);
    expect(split(`{"jobs":[{"a":1}]}${spaces}`, 65_536)).toBe('stopped');
  });

  test('an entry that is not taken ends it', () => {
    expect(createListingSplitter(() => false).take(Buffer.from('{"jobs":[{}'))).toBe(false);
  });
});
