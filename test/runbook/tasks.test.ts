import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { givenOps, issuedSchema } from '../support/given-ops.ts';
import { givenRunbook, isOnlyChecked, rowOf, typeIntroduction } from './given-runbook.ts';

const ops = givenOps();
const { service } = ops;
const follow = givenRunbook(ops, 'tasks');

describe('an operator who follows the runbook', () => {
  test('sees which alarms ring', async () => {
    expect(await typeIntroduction(ops)).toEqual([isOnlyChecked]);
  });

  test('rotates Plangrep’s key', async () => {
    const task = follow("Rotating Plangrep's key without downtime");
    const key = 'the-second-key-of-plangrep';
    service.run.simulator.setApiKey(key);

    const put = await task.type('npm run ops -- plangrep-key put --environment prod', {}, key);
    const { externalId } = await service.newJob();
    const cancelled = await service.cancel({ externalId });
    const logs = await task.type(
      'npm run ops -- logs PLANGREP_KEY_FETCHED,PLANGREP_KEY_REFUSED --since 2m --environment prod',
    );

    expect(put.code).toBe(0);
    expect(cancelled.status).toBe(200);
    expect(logs.stdout).toContain('ageDays=0');
    expect(logs.stdout).not.toContain('PLANGREP_KEY_REFUSED');
  });

  test('takes a role', async () => {
    const listed = await follow('Taking a role').type(
      'AWS_PROFILE=partners-prod npm run ops -- partner list --environment prod',
    );

    expect(listed.stdout).toContain('acme');
  });

  test('redrives the dead-letter queue', async () => {
    const task = follow('Redriving the dead-letter queue');
    const { externalId, jobId } = service.newNames();
    const refused = () => service.run.queue.deadLetters();
    await service.publish('Job Cancellation Requested', { externalId });
    await service.publish('Job Cancellation Requested', { externalId, force: true });
    await vi.waitFor(() => expect(refused()).toHaveLength(2), 15_000);
    const event = refused().map((body) => (body.includes('force') ? /"id":"([^"]+)"/.exec(body)?.[1] : ''));

    const shown = await task.type('AWS_PROFILE=redrive-prod npm run ops -- dlq show --environment prod');
    const logs = await task.type(
      'npm run ops -- logs EVENT_MALFORMED,EVENT_REFUSED,EVENT_FAILED --since 1d --environment prod',
    );
    const drop = 'AWS_PROFILE=redrive-prod npm run ops -- dlq drop <event> --environment prod';
    await task.type(drop, { event: event.find(Boolean) });
    await service.run.addJob(externalId, jobId);
    await task.type('AWS_PROFILE=redrive-prod npm run ops -- dlq redrive --environment prod');
    await vi.waitFor(() => expect(service.run.simulator.job(jobId)?.status).toBe('cancelled'), 10_000);
    const left = await task.type('npm run ops -- dlq list --environment prod');

    expect(shown.stdout).toContain('not malformed');
    expect(logs.stdout).toMatch(/EVENT_MALFORMED[^]*EVENT_REFUSED/);
    expect(rowOf(left, 'events')[1]).toBe('0');
  });

  test('gives a partner another share', async () => {
    const task = follow("A partner's share");
    const partner = { partner: 'acme' };

    const list = await task.type('npm run ops -- partner list --environment prod');
    const shown = await task.type('npm run ops -- partner show --partner <partner> --environment prod', partner);
    await task.type('npm run ops -- logs 429 --environment prod');
    const set = await task.type('npm run ops -- partner set --partner <partner> --plan <plan> --environment prod', {
      ...partner,
      plan: 'small',
    });

    expect(list.stdout).toMatch(/^acme .*standard/m);
    expect(shown.stdout).toContain('standard');
    expect(set.code).toBe(0);
  });

  test('adds up what a month took', async () => {
    const task = follow('What a month took and cost');
    const { externalId } = await service.newJob();
    await service.cancel({ externalId });

    const credits = await task.type('npm run ops -- credits --month <month> --environment prod', {
      month: new Date().toISOString().slice(0, 7),
    });

    expect(rowOf(credits, 'acme')[1]).toMatch(/^[1-9]/);
  });

  test('revokes a partner’s key', async () => {
    const task = follow("Revoking a partner's key");
    const partner = { partner: 'acme' };
    const read = (credential: string) =>
      service.run.call('acme', 'GET /v1/cancellations/job_none', undefined, { Authorization: `Bearer ${credential}` });

    const issue = 'npm run ops -- partner-key issue --partner <partner> --environment prod';
    const issued = await task.type(issue, partner);
    const { credential, keyId } = issuedSchema.parse({
      credential: /pcg_[\w-]+/.exec(issued.stdout)?.[0],
      keyId: /pcg_local_([^_]+)_/.exec(issued.stdout)?.[1],
    });
    const before = await read(credential);
    const listed = await task.type('npm run ops -- partner-key list --partner <partner> --environment prod', partner);
    await task.type('npm run ops -- partner-key revoke <keyId> --environment prod', { keyId });
    const after = await read(credential);
    const logs = await task.type('npm run ops -- logs <keyId> --since 7d --environment prod', { keyId });

    expect([before.status, after.status]).toEqual([404, 401]);
    expect(listed.stdout).toContain(keyId);
    expect(logs.stdout).toMatch(/REQUEST_ANSWERED .*status=404/);
  });

  test('cancels many jobs of a partner', async () => {
    const task = follow('Cancelling many jobs of a partner');
    const [first, second] = [await service.newJob(), await service.newJob()];
    const file = join(mkdtempSync(join(tmpdir(), 'many-')), 'orders.csv');
    writeFileSync(file, `externalId\n${first.externalId}\n${second.externalId}\nunknown\n`);
    const values = { file, partner: 'acme', url: service.run.baseUrl, results: `${file}.json` };
    const command = 'npm run ops -- cancel --file <file> --partner <partner>';

    const preview = await task.type(`${command} --preview --url <url> --environment prod`, values);
    const [, token = ''] = /--token (\w+)/.exec(preview.stdout) ?? [];
    const done = await task.type(`${command} --token <token> --results <results> --url <url> --environment prod`, {
      ...values,
      token,
    });

    expect(preview.stdout).toMatch(/will_cancel +2/);
    expect(done.stdout).toMatch(/cancelled +2/);
    expect([preview.code, done.code]).toEqual([0, 0]);
  });

  test('puts any key into a sandbox', async () => {
    const task = follow('Switching a sandbox on and off');
    const key = execFileSync('openssl', ['rand', '-hex', '24'], { encoding: 'utf8' });
    service.run.simulator.setApiKey(key.trim());

    const put = await task.type(
      'openssl rand -hex 24 | npm run --silent ops -- plangrep-key put --environment dev --yes',
      {},
      key,
    );

    expect(put.code).toBe(0);
  });
});
