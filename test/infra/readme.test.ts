import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderCostTable } from '../bench/cost/monthly-cost.ts';
import { renderRolesTable } from '../../infra/docs/roles-table.ts';

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
/** What stands between `<!-- name -->` and `<!-- /name -->`. */
const sectionOf = (name: string): string =>
  new RegExp(`<!-- ${name} -->\\n([\\s\\S]*?)<!-- /${name} -->`).exec(readme)?.[1] ?? 'no such section';

describe('the README', () => {
  it('says of each role what the constructs grant it', () => {
    console.log(renderRolesTable());
    expect(sectionOf('roles').trim()).toBe(renderRolesTable().trim());
  });

  it('says what the service costs, as worked out', () => {
    expect(sectionOf('cost').trim()).toBe(renderCostTable().trim());
  });
});
