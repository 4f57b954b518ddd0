import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { commandsMissing } from '../support/commands-missing.ts';

const exec = promisify(execFile);
const here = new URL('.', import.meta.url).pathname;

interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly unsupported: number;
  readonly cases: readonly { readonly name: string; readonly result: string; readonly why?: string }[];
}

async function conformanceOf(runner: string): Promise<Report & { readonly code: number }> {
  const args = [`${here}conformance.ts`, '--json', '--runner', runner];
  const ended = await exec(process.execPath, args).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  return { ...JSON.parse(ended.stdout), code: ended.code };
}
const failures = ({ cases }: Report) => cases.filter(({ result }) => result === 'failed');
const notSupported = ({ cases }: Report) =>
  cases.filter(({ result }) => result === 'unsupported').map(({ name }) => name);
const node = `'${process.execPath}'`;

describe('the conformance suite', () => {
  test.concurrent('is passed by our client, every case', async () => {
    const report = await conformanceOf(`${node} ${here}runners/client.ts`);

    expect(failures(report)).toEqual([]);
    expect(report).toMatchObject({ unsupported: 0, code: 0 });
    expect(report.passed).toBeGreaterThan(20);
  }, 120_000);

  test.concurrent.each(['python', 'java'])(
    'is passed by the program of docs/calling.md in %s, as far as it goes',
    async (language) => {
      if (commandsMissing([language === 'java' ? 'javac' : 'python3']).length > 0) {
        console.log(`The conformance of ${language} is not checked: this machine does not have it.`);
        return;
      }
      const report = await conformanceOf(`${node} ${here}runners/snippet.ts ${language}`);

      expect(failures(report)).toEqual([]);
      expect(notSupported(report)).toHaveLength(2);
    },
    180_000,
  );

  test.concurrent('is failed by a runner that takes everything for a success', async () => {
    const careless = join(mkdtempSync(join(tmpdir(), 'careless-')), 'runner.mjs');
    writeFileSync(
      careless,
      `import { createInterface } from 'node:readline';
      for await (const line of createInterface({ input: process.stdin })) {
        const { call } = JSON.parse(line);
        console.log(JSON.stringify({ result: call === 'verify' ? 'accepted' : 'cancelled' }));
      }`,
    );
    const report = await conformanceOf(`${node} ${careless}`);

    expect(report.code).toBe(1);
    expect(failures(report).length).toBeGreaterThan(15);
    expect(failures(report)).toContainEqual(expect.objectContaining({ name: 'no job has the externalId' }));
    // It says so without a single request.
    expect(failures(report)).toContainEqual(
      expect.objectContaining({ why: expect.stringContaining('it sent 0 requests') }),
    );
  }, 120_000);
});
