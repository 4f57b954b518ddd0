import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { givenOps } from '../support/given-ops.ts';

/** docs/roles.md says what a role on call that only reads needs: the commands of the runbook that change nothing need it all. */
const ops = givenOps();

const [, section = ''] = readFileSync(new URL('../../docs/roles.md', import.meta.url), 'utf8').split(
  '\n## Operators\n',
);
const rows = section.split('\n').map((row) => row.split('|').map((cell) => cell.trim()));
const firstOf = (role: string): number => rows.findIndex(([, who = '']) => who.includes(role));

/** In a cell, `dynamodb:GetItem`, `Query` are two actions of one service. */
function actionsIn(cell: string): readonly string[] {
  let service = '';
  return [...cell.matchAll(/`([\w:]+)`/g)].map(([, action = '']) => {
    const [before, name] = action.includes(':') ? action.split(':') : [service, action];
    service = before ?? '';
    return `${service}:${name}`;
  });
}

test('the reading role on call may do with the tables exactly what the reading commands do, and reads no secret', async () => {
  const { service } = ops;
  const { externalId, jobId } = await service.newJob();
  const { headers } = await service.cancel({ externalId }, { headers: { 'Idempotency-Key': 'a-key' } });
  const secretsRead = service.run.secretsManager.requests['GetSecretValue'];
  service.run.dynamodb.resetCounts();

  const commands = [
    ['find', headers.get('x-request-id') ?? ''],
    ['find', externalId],
    ['cancellations', 'open'],
    ['cancellations', 'show', jobId],
    ['job', 'show', jobId],
    ['partner', 'list'],
    ['partner', 'show', '--partner', 'acme'],
    ['partner-key', 'list'],
    ['credits', '--month', new Date().toISOString().slice(0, 7)],
    ['audit', 'verify'],
    ['erasures'],
    ['restore', 'check', '--table', 'CancellationLog'],
    ['restore', 'check', '--table', 'JobDirectory'],
    ['queues'],
    ['dlq', 'list'],
    ['logs', 'CANCELLATION_CLOSED'],
  ];
  for (const command of commands) expect((await ops.run(command)).stderr).toBe('');

  const called = Object.keys(service.run.dynamodb.counts()).map((operation) => `dynamodb:${operation}`);
  const documented = rows
    .slice(firstOf('reads only'), firstOf('with Plangrep'))
    .flatMap(([, , actions = '']) => actionsIn(actions))
    .filter((action) => action.startsWith('dynamodb:'));
  expect(called.toSorted()).toEqual(documented.toSorted().filter((action, at, all) => all.indexOf(action) === at));
  expect(service.run.secretsManager.requests['GetSecretValue']).toBe(secretsRead);
});
