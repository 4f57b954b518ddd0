import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Fields } from '../../../functions/adapters/dynamodb/table-client.ts';
import { erasableAttributes } from '../../../functions/core/cancellation/commitment.ts';
import { eventKey, type StreamName, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { type Digest, objectName } from '../../../functions/core/archive/digest.ts';
import { sha256 } from '../../../functions/core/sha256.ts';
import { measureObject } from '../../../functions/core/archive/measure-object.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { closed, ended, requested } from '../../support/stored-streams.ts';
import { linesOfUnknown, recordsOfUnknown, textOf, writeFile } from './forgeries-of-archive.ts';
import { recordKinds } from './forgeries-of-records.ts';
import { drawStream, erasedOf, keyOf, nextEvent, rehash, take } from './records.ts';
import type { Forgery, Scene } from './forgery.ts';
import type { Actor } from './rights.ts';

/** A forgery that no check finds. */
export interface Unfindable extends Omit<Forgery, 'expected'> {
  /** The row of docs/audit.md, "What cannot be found", that gives the reason. */
  readonly row: string;
}

const rows = {
  legal: "someone with the writers' rights writes a false but legal record",
  wakeUp: 'a wake-up moved again and again, never beyond the longest delay',
  time: 'a time of an event that is false by minutes',
  text: 'an externalId or reason that was false from the start',
  erasure: 'a text erased with an `erased` record that the operator had no right to write',
  erasureOfNone: 'an `erased` record that names a record that is not there',
  expired: 'a record that had expired, deleted early or late while the stream is off',
  replaced: 'the archive replaced as a whole, with the table, signed with the real key',
  newest: 'digests removed at the end, within two hours',
  both: 'an object put in and sealed by the next digest, and its records into the table while the stream is off',
  times: "a folder's file times",
} as const;

const of = (
  row: keyof typeof rows,
  what: string,
  by: Actor,
  forge: Forgery['forge'],
  place: Forgery['place'] = 'table',
): Unfindable => ({
  row: rows[row],
  place,
  what,
  by,
  forge,
});

/** Each kind of record that the service's own writers could have written. */
const legal = recordKinds
  .filter(({ seen }) => Object.keys(seen).length === 0)
  .map(({ what, forge }) => of('legal', what, 'request-cancellation', forge));

/** Replaces what the archive says of the last event of `long`, in every copy of its line and in every digest, and signs anew. */
async function replaceArchive(scene: Scene): Promise<string> {
  const { stage, log, attacker } = scene;
  const folder = await stage.copyArchive();
  const event = await take(scene, keyOf(log.long, 5));
  const forged = rehash(event, { outcome: 'too_late' });
  await attacker.put(forged);
  const texts = new Map<string, string>();
  let chained: Digest['previous'];
  for (const { name, digest } of await stage.digests()) {
    const objects = await Promise.all(
      digest.objects.map(async (object) => {
        const lines = (await stage.text(object.name)).split('\n').slice(0, -1);
        const text = textOf(lines.map((line) => replaceRecord(line, log.long, forged)));
        texts.set(object.name, text);
        return { name: object.name, ...(await measureObject(partsOf(text))) };
      }),
    );
    const file = await attacker.sealDigest({ ...digest, objects, ...(chained !== undefined && { previous: chained }) });
    chained = { name, sha256: sha256(file.text) };
    texts.set(name, file.text);
  }
  for (const [name, text] of texts) writeFile(folder, name, text);
  return folder;
}

function replaceRecord(text: string, name: StreamName, item: Fields): string {
  const { pk: _, sk: __, ...forged } = item;
  const line = JSON.parse(text);
  if (line.partition !== streamKey(name) || line.key !== eventKey(5)) return text;
  const record = Object.entries(forged).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ ...line, record: Object.fromEntries(record) });
}

async function* partsOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

export const unfindable: readonly Unfindable[] = [
  ...legal,
  of('wakeUp', 'a wake-up moved on, twice', 'consume-wake-ups', async ({ attacker, log, stage }) => {
    for (const minutes of [14, 15]) {
      await attacker.update(keyOf(log.open, 3), { wakeAt: toTimestamp(stage.nowMs + minutes * 60_000) });
    }
  }),
  of('time', 'an event dated ten minutes late', 'consume-wake-ups', async (scene) => {
    const event = await nextEvent(scene, closed);
    await scene.attacker.put(rehash(event, { at: toTimestamp(scene.stage.nowMs + 10 * 60_000) }));
  }),
  of('text', 'a request under a name that no partner gave', 'request-cancellation', async (scene) => {
    for (const item of drawStream(scene, [requested, ended(1), closed], 0)) await scene.attacker.put(item);
  }),
  of('erasure', 'an erasure of a stream that no person asked to forget', 'erase-texts', async ({ attacker, log }) => {
    await attacker.put(erasedOf(log.long, [eventKey(1)]));
    await attacker.update(keyOf(log.long, 1), Object.fromEntries(erasableAttributes.map((name) => [name, undefined])));
  }),
  of('erasureOfNone', 'an erasure of event 9 on record', 'erase-texts', ({ attacker, log }) =>
    attacker.put(erasedOf(log.long, [eventKey(9)])),
  ),
  {
    ...of('expired', 'a closed stream that has expired, deleted', 'insider', async (scene) => {
      for (const { pk, sk } of scene.log.expiring) await scene.attacker.delete({ pk, sk });
    }),
    isUnseen: true,
  },
  {
    ...of(
      'replaced',
      'an event rewritten in the table, the archive and every digest',
      'insider',
      replaceArchive,
      'digests',
    ),
    isUnseen: true,
  },
  of(
    'newest',
    'the newest digest removed from a copy',
    'insider',
    async ({ stage }) => {
      const folder = await stage.copyArchive();
      rmSync(join(folder, (await stage.digests()).at(-1)?.name ?? ''));
      return folder;
    },
    'digests',
  ),
  {
    ...of(
      'both',
      'a stream that never was, in the table and in an object',
      'insider',
      async (scene) => {
        const { attacker, stage } = scene;
        const lines = linesOfUnknown(scene);
        for (const item of recordsOfUnknown(scene)) await attacker.put(item);
        await attacker.putObject(
          objectName(toTimestamp(stage.nowMs), ['190000000000000000000', '190000000000000000001']),
          textOf(lines.map((line) => JSON.stringify(line))),
        );
      },
      'archive',
    ),
    isUnseen: true,
  },
  of(
    'times',
    'a file put into a copy, as of now',
    'insider',
    async (scene) => {
      const folder = await scene.stage.copyArchive();
      const name = objectName(toTimestamp(scene.stage.nowMs), ['190000000000000000000', '190000000000000000001']);
      writeFile(folder, name, textOf(linesOfUnknown(scene).map((line) => JSON.stringify(line))), scene.stage.nowMs);
      return folder;
    },
    'archive',
  ),
];

/** The rows of docs/audit.md that no forgery stands for: they are the same as another one, seen from elsewhere. */
export const rowsWithoutForgery: readonly string[] = ['another archive shown to another auditor'];
