import { describe, expect, test } from 'vitest';
import { alarms } from '../../infra/blueprint/alarms.ts';
import { commandsIn, introduction, partNames, sections, shownIn } from '../runbook/runbook-sections.ts';
import { onlyInAws, themes } from '../runbook/runbook-themes.ts';

const played: readonly string[] = Object.values(themes).flat();

describe('the runbook', () => {
  test('is followed in test/runbook, section by section', () => {
    expect(played.toSorted()).toEqual(sections.map(({ title }) => title).toSorted());
  });

  test('lists each alarm where its severity says', () => {
    const rows = introduction.split('\n').map((row) => row.split('|'));

    for (const { title, severity } of alarms) {
      const anchor = `[${title}](#${title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-')})`;
      const column = rows.map((cells) => cells.findIndex((cell) => cell.includes(anchor))).find((at) => at !== -1);
      expect({ title, column }).toEqual({ title, column: severity === 'page' ? 1 : 2 });
    }
  });

  test('names only alarms that exist as those whose cause only AWS has', () => {
    const titles = new Set(alarms.map(({ title }) => title));

    expect(Object.keys(onlyInAws).filter((title) => !titles.has(title))).toEqual([]);
  });

  test.each(alarms)('has for "$title" the five parts, in their order', ({ title, severity }) => {
    const section = sections.find((one) => one.title === title);
    const positions = partNames.map((name) => section?.text.indexOf(`**${name}`) ?? -1);

    expect(section?.severity).toBe(severity);
    expect(positions).not.toContain(-1);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  });

  test.each(alarms)('has for "$title" one first command, which can be pasted as it is', ({ title }) => {
    const section = sections.find((one) => one.title === title);
    const [command = '', ...more] = commandsIn(section?.part('First command') ?? '');

    expect(more).toEqual([]);
    expect(command).toMatch(/^(AWS_PROFILE=redrive-prod )?npm run ops -- [^<>]+ --environment prod$/);
    expect(shownIn(section?.part('What you see') ?? '').length).toBeGreaterThan(0);
    expect(commandsIn(section?.part('Over when') ?? '').length).toBeGreaterThan(0);
  });
});
