import type { APIGatewayProxyEvent } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { preferredWaitSeconds, readPreferences } from '../../../functions/doors/http/read-preferences.ts';

const eventWith = (multiValueHeaders: Record<string, string[]>) => ({ multiValueHeaders }) as APIGatewayProxyEvent;
const waitOf = (...lines: string[]) => preferredWaitSeconds(eventWith({ Prefer: lines }));

describe('Prefer: wait', () => {
  test.each<[string[], number]>([
    [['wait=0'], 0],
    [['wait=10'], 10],
    [['wait=007'], 7],
    [['WAIT=3'], 3],
    [[' wait = 3 '], 3],
    [['wait="3"'], 3],
    [[String.raw`wait="\3"`], 3],
    [['wait=3; priority=5; note="a, b; c"'], 3],
    [['respond-async, wait=3'], 3],
    [['respond-async', 'wait=3'], 3],
    [['note="wait=9, wait=8", wait=3'], 3],
    [[String.raw`note="\", wait=9", wait=3`], 3],
    [[',, ,wait=3,'], 3],
    [['wait=3, wait=5'], 3],
    [['wait=3', 'wait=5'], 3],
    [['wait=11'], 10],
    [['wait=99999999999999999999999999'], 10],
  ])('%j asks for %i s', (lines, seconds) => {
    expect(waitOf(...lines)).toBe(seconds);
  });

  test.each([
    ['wait'],
    ['wait='],
    ['wait=""'],
    ['wait; seconds=3'],
    ['wait=-1'],
    ['wait=1.5'],
    ['wait=1e1'],
    ['wait=0x5'],
    ['wait=3 s'],
    ['wait=3=4'],
    ['wait="3'],
    ['wait=٣'],
    ['waits=3'],
    ['x-wait=3'],
    ['note="wait=3'],
    ['return=minimal'],
    [''],
  ])('%j is ignored', (line) => {
    expect(waitOf(line)).toBeUndefined();
  });

  test('is ignored when the first of several is malformed: only the first one counts', () => {
    expect(waitOf('wait, wait=3')).toBeUndefined();
    expect(waitOf('Wait=soon', 'wait=3')).toBeUndefined();
  });

  test('needs no certain case of the header’s name, and no header', () => {
    expect(preferredWaitSeconds(eventWith({ prefer: ['wait=3'] }))).toBe(3);
    expect(preferredWaitSeconds(eventWith({ PREFER: ['wait=3'] }))).toBe(3);
    expect(preferredWaitSeconds(eventWith({}))).toBeUndefined();
  });

  test('is a whole number from 0 to 10, or absent, whatever the header says', () => {
    const line = fc.string({
      unit: fc.constantFrom('wait=', '=', '0', '1', '23', ',', ';', '"', ' ', '\\', '-', '.', 'é'),
    });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 3 }), (lines) => {
        const seconds = waitOf(...lines);
        expect(seconds === undefined || (Number.isInteger(seconds) && seconds >= 0 && seconds <= 10)).toBe(true);
      }),
    );
  });
});

test('preferences are read by name, with what a quoted string hides', () => {
  const line = String.raw`Foo; some="p=1, wait=2", handling=lenient, Text="a \"b\", c; d", foo=again`;

  expect(Object.fromEntries(readPreferences(eventWith({ Prefer: [line] })))).toEqual({
    foo: '',
    handling: 'lenient',
    text: 'a "b", c; d',
  });
});
