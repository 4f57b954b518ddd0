import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { fingerprintOf } from '../../../functions/core/find-job/find-job.ts';
import { objectsFolder, storeFolder } from '../../../infra/local/data-folder.ts';
import { putEvent } from '../../../infra/local/aws/events/event-bridge.ts';
import { startTestRun, type TestRun } from '../../support/local-run.ts';
import { documentedProject, externalId } from '../../support/names.ts';
import { runCommand } from '../../support/run-command.ts';

const marker = 'order of Märta Öhlund 770101';
const reason = 'Märta Öhlund withdrew her consent';
const key = `cancel-${Buffer.from(marker).toString('hex')}`;
const job = 'job_erased_bytes';

const hash = (text: string, encoding: 'hex' | 'base64' | 'base64url') =>
  createHash('sha256').update(text).digest(encoding);
/** Forms in which a text, or what identifies it, could be left somewhere. */
const formsOf = (text: string): readonly string[] => {
  const inBase64 = [0, 1, 2].map((shift) => {
    // Without the first and last characters, which hold bits of what is beside the text.
    return Buffer.from('x'.repeat(shift) + text)
      .toString('base64')
      .slice(4, -4);
  });
  const escaped = JSON.stringify(text).slice(1, -1);
  const ascii = escaped.replaceAll(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [
    text,
    ascii,
    encodeURIComponent(text),
    new URLSearchParams({ text }).toString().slice('text='.length),
    Buffer.from(text).toString('hex'),
    ...inBase64,
    ...(['hex', 'base64', 'base64url'] as const).map((encoding) => hash(text, encoding)),
  ];
};
const needles = [
  ...formsOf(marker),
  ...formsOf(reason),
  ...formsOf(key),
  hash(`idempotency-key:${key}`, 'hex'),
  fingerprintOf({ externalId: externalId(marker), reason }),
  fingerprintOf({ externalId: externalId(marker) }),
].map((text) => Buffer.from(text));
const holds = (content: Buffer): boolean => needles.some((needle) => content.includes(needle));

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

interface Level {
  open(): Promise<void>;
  close(): Promise<void>;
  iterator(): AsyncIterable<readonly [key: string, value: string]>;
}
/** Everything that the engine's store holds now: LevelDB's files also have what it has not compacted yet. */
async function entriesOf(folder: string): Promise<readonly (readonly [string, string])[]> {
  const { Level }: { Level: new (path: string) => Level } = createRequire(import.meta.resolve('dynalite'))('level');
  const store = new Level(folder);
  await store.open();
  const entries = [];
  for await (const [name, value] of store.iterator()) entries.push([name, value] as const);
  await store.close();
  return entries;
}

async function searchTables({ dynamodb: { client, tableNames } }: TestRun): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [table, TableName] of Object.entries(tableNames)) {
    for await (const { Items = [] } of paginateScan({ client }, { TableName })) {
      found.push(...Items.filter((item) => holds(Buffer.from(JSON.stringify(item)))).map(() => table));
    }
  }
  return found;
}

describe('after an erasure', () => {
  const [dataDir, cwd] = [mkdtempSync(join(tmpdir(), 'erased-')), mkdtempSync(join(tmpdir(), 'erased-'))];
  const found: Record<'before' | 'after' | 'lines', readonly string[]> = { before: [], after: [], lines: [] };
  let erased: Awaited<ReturnType<typeof runCommand>>;

  beforeAll(async () => {
    const run = await startTestRun({
      dataDir,
      credentialsPath: join(cwd, '.local', 'credentials.json'),
      queueVisibilityMs: 50,
      sealEveryMs: 500,
    });
    try {
      await askForEverything(run);
      found.before = await searchTables(run);
      const command = ['erase', '--partner', 'acme', '--external-id', marker, '--reason-code', 'gdpr-17', '--yes'];
      erased = await runCommand('ops', command, { cwd });
      found.after = await searchTables(run);
      // The archive has the cancellation, the erasure, and a digest of both.
      await vi.waitFor(() => expect(archived(/"change":"erased"/)).toBe(true), { timeout: 30_000, interval: 200 });
      await vi.waitFor(() => expect(archived(/"kind":"plangrep-cancellation\/digest/)).toBe(true), { timeout: 30_000 });
      found.lines = run.logs.filter((line) => holds(Buffer.from(line)));
    } finally {
      await run.close();
    }
  });

  /** Whether an object of the archive has something. */
  function archived(pattern: RegExp): boolean {
    return filesOf(join(dataDir, objectsFolder)).some((file) => pattern.test(readFileSync(file, 'utf8')));
  }

  /** Every way in which a text comes in: both doors, a key, a repeat, another request, a refusal, a registration. */
  async function askForEverything(run: TestRun): Promise<void> {
    // Plangrep does not know the name: what it keeps itself is not ours to erase.
    run.simulator.addJob({ id: job, projectId: documentedProject });
    const withKey = { 'Idempotency-Key': key };
    const cancel = (body: object, headers?: Record<string, string>) =>
      run.call('acme', 'POST /v1/cancellations', { externalId: marker, reason, ...body }, headers);
    const send = (DetailType: string, detail: object) => {
      const { eventSource = '', aws } = run.partners.find(({ partnerId }) => partnerId === 'acme') ?? { aws: run.aws };
      const Detail = JSON.stringify({ externalId: marker, ...detail });
      return putEvent(run.endpoints.eventbridge, aws, { Source: eventSource, DetailType, Detail });
    };
    const settled = async () => {
      while (run.queue.waiting().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await cancel({}, withKey);
    await run.call('acme', `PUT /v1/jobs/${job}`, { externalId: marker });
    await send('Job Registered', { jobId: job });
    await cancel({}, { 'Idempotency-Key': `${key}-2` });
    await cancel({}, { 'Idempotency-Key': `${key}-2` });
    await cancel({ reason: `${reason} again` });
    await cancel({ jobId: 'job_of_no_one' }, { 'Idempotency-Key': `${key}-3` });
    await cancel({ reason: `${reason} otherwise` }, { 'Idempotency-Key': `${key}-2` });
    await send('Job Cancellation Requested', { reason });
    await run.call('acme', `GET /v1/cancellations?externalId=${encodeURIComponent(marker)}`);
    await settled();
  }

  test('no table has a byte of the texts, nor a hash of them', () => {
    expect(erased).toMatchObject({ code: 0, stderr: '' });
    expect(new Set(found.before)).toEqual(new Set(['CancellationLog', 'JobDirectory']));
    expect(found.before.length).toBeGreaterThan(10);
    expect(found.after).toEqual([]);
  });

  test('no line of a function has one, and no output of the command', () => {
    expect(found.lines).toEqual([]);
    expect(holds(Buffer.from(erased.stdout + erased.stderr))).toBe(false);
  });

  test('no file of the run has one but the files of LevelDB, where the stream keeps changes for a day', async () => {
    const store = join(dataDir, storeFolder);
    const files = [...filesOf(dataDir), ...filesOf(cwd)];
    const others = files.filter((file) => !file.startsWith(`${store}/`));
    const entries = await entriesOf(store);
    const held = entries.filter(([name, value]) => holds(Buffer.from(name)) || holds(Buffer.from(value)));

    expect(archived(new RegExp(job))).toBe(true);
    expect(others.filter((file) => holds(readFileSync(file)))).toEqual([]);
    // As DynamoDB's own stream does: 24 hours, which no setting shortens.
    expect(held.filter(([name]) => !name.startsWith('stream-')).map(([name]) => name)).toEqual([]);
    expect(held.length).toBeGreaterThan(0);
  });
});
