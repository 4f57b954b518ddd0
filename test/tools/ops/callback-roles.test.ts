import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { beforeEach, expect, test, vi } from 'vitest';
import * as z from 'zod/mini';
import type { Resource } from '../../../infra/blueprint/access/permissions.ts';
import { permissionsOf, type RoleName } from '../../../infra/blueprint/access/roles.ts';
import { policyOf } from '../../../infra/blueprint/access/table-policies.ts';
import {
  pauseCallback,
  removeCallback,
  rotateCallback,
  setCallback,
  showCallback,
} from '../../../infra/cli/callbacks/ops-callback.ts';
import { replayCallback, resumeCallback, testCallback } from '../../../infra/cli/callbacks/replay-callbacks.ts';
import { parseCommand } from '../../../infra/cli/command.ts';
import type { OpsCommand } from '../../../infra/cli/ops-command.ts';
import { removePartner } from '../../../infra/cli/partners/ops-partner.ts';
import { openLocalPlace } from '../../../infra/cli/places/local-place.ts';
import type { Place } from '../../../infra/cli/places/place.ts';
import { createTerminal } from '../../../infra/cli/terminal.ts';
import { isTableName } from '../../../infra/local/restored-tables.ts';
import { account, isAllowed } from '../../infra/decide-request.ts';
import { givenCallbacks } from '../../support/callbacks/given-callbacks.ts';
import { givenOps } from '../../support/given-ops.ts';

const ops = givenOps({ callbacks: 'delivered' });
const callbacks = givenCallbacks(ops.service);

/** A call of an AWS service that a command made. */
interface Call {
  readonly action: string;
  readonly on: Resource;
  /** Of a table's item, its partition key. */
  readonly keys: readonly string[];
}

const inputSchema = z.object({
  TableName: z.optional(z.string()),
  IndexName: z.optional(z.string()),
  Key: z.optional(z.object({ pk: z.object({ S: z.string() }) })),
  QueueUrl: z.optional(z.string()),
  SecretId: z.optional(z.string()),
});

let place: Place;
let calls: Call[];
beforeEach(async () => {
  await callbacks.removeEndpoint('acme');
  place = openLocalPlace(join(ops.folder, '.local', 'credentials.json'));
  calls = [];
  const note = async (service: string, commandName: string, input: object): Promise<void> => {
    const { Key, ...named } = inputSchema.parse(input);
    const action = `${service}:${commandName.replace(/Command$/, '')}`;
    calls.push({ action, on: await resourceOf(named), keys: Key === undefined ? [] : [Key.pk.S] });
  };
  const step = { step: 'initialize' } as const;
  place.dynamodb.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        await note('dynamodb', commandName, args.input);
        return next(args);
      },
    step,
  );
  place.sqs.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        await note('sqs', commandName, args.input);
        return next(args);
      },
    step,
  );
  place.secretsManager.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        await note('secretsmanager', commandName, args.input);
        return next(args);
      },
    step,
  );
  return () => place.close();
});

async function resourceOf({
  TableName,
  IndexName,
  QueueUrl,
  SecretId,
}: z.infer<typeof inputSchema>): Promise<Resource> {
  if (IndexName !== undefined) return 'WakeUps';
  const { tableNames } = ops.service.run.dynamodb;
  const [table] = Object.entries(tableNames).find(([, name]) => name === TableName) ?? [];
  if (table !== undefined && isTableName(table)) return table;
  if (QueueUrl !== undefined && QueueUrl === (await place.queueUrl('toDeliver'))) return 'CallbackQueue';
  if (SecretId !== undefined && SecretId === (await place.secretId('CallbackSecret'))) return 'CallbackSecret';
  throw new Error('a call of something that this test does not know');
}

async function run(command: OpsCommand, ...args: readonly string[]): Promise<void> {
  const parsed = parseCommand(command, [...args, '--yes']);
  if (parsed.kind === 'help') throw new Error('no help was asked for');
  const output = new PassThrough();
  const terminal = createTerminal({ json: true, yes: true, input: Readable.from([]), output, messages: output });
  const { values, argument } = parsed;
  expect([command.name, await command.run({ place, terminal, values, argument, now: Date.now() })]).toEqual([
    command.name,
    0,
  ]);
}

/** Those that a role, or the policy of the table, refuses. */
const refusedTo = (role: RoleName): readonly Call[] =>
  calls.filter(({ action, on, keys }) => {
    if (isTableName(on)) {
      const request = { action: action.slice('dynamodb:'.length), keys };
      return !isAllowed(role, on, policyOf(on, 'prod', account), request);
    }
    return !permissionsOf(role).some(({ actions, resource }) => resource === on && actions.includes(action));
  });

test('the commands for callbacks make exactly the calls that the role manage-callbacks allows', async () => {
  const [acme, url] = [['--partner', 'acme'], `${callbacks.receiver.url}/callbacks`];
  await run(setCallback, ...acme, '--url', url);
  await run(setCallback, ...acme, '--url', `${url}/2`);
  const { externalId, jobId } = await ops.service.newJob();
  await ops.service.cancel({ externalId });
  await vi.waitFor(() => expect(callbacks.about(jobId)).toHaveLength(1), { timeout: 20_000, interval: 20 });
  await run(showCallback, ...acme);
  await run(testCallback, ...acme);
  await run(pauseCallback, ...acme);
  await run(resumeCallback, ...acme);
  await run(replayCallback, ...acme);
  await run(replayCallback, ...acme, '--job', jobId);
  await run(replayCallback, ...acme, '--since', '2026-11-01T00:00:00Z');
  await run(rotateCallback, ...acme);
  await run(removeCallback, ...acme);

  expect(refusedTo('manage-callbacks')).toEqual([]);
  const made = new Set(calls.map(({ action, on }) => `${action} ${on}`));
  // What a redrive needs, test/infra/roles.test.ts has; the local run is found without CloudFormation.
  const allowed = permissionsOf('manage-callbacks')
    .flatMap(({ actions, resource }) => actions.map((action) => `${action} ${resource}`))
    .filter((each) => /^(dynamodb|secretsmanager):/.test(each));
  expect([...made].toSorted()).toEqual([...new Set(allowed), 'sqs:SendMessage CallbackQueue'].toSorted());
});

test('the end of a partner, which ends its callbacks, makes only calls that the role manage-partners allows', async () => {
  await callbacks.setEndpoint('globex');
  await run(removePartner, '--partner', 'globex');

  expect(refusedTo('manage-partners')).toEqual([]);
  expect(calls).toContainEqual({ action: 'dynamodb:UpdateItem', on: 'Partners', keys: ['callback#globex'] });
});
