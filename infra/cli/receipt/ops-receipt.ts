import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { readDigest } from '../../../functions/core/archive/digest.ts';
import type { StoredRecord } from '../../../functions/core/audit/findings.ts';
import { erasableAttributes, judgeTexts } from '../../../functions/core/cancellation/commitment.ts';
import { parseEventKey, streamKey } from '../../../functions/core/cancellation/stream-key.ts';
import { earliest, timestampSchema, toTimestamp } from '../../../functions/core/identifiers.ts';
import { tables } from '../../blueprint/tables.ts';
import { openArchive, readArchivePlace } from '../audit/archive-options.ts';
import { toRecord } from '../audit/scan-log.ts';
import { ownerOf } from '../cancellations/show-cancellation.ts';
import { CannotDo, readTime } from '../command.ts';
import { opsCommand, readJobId, readPartner } from '../ops-command.ts';
import { credentialsPath } from '../places/local-place.ts';
import type { Place } from '../places/place.ts';
import { count } from '../terminal.ts';
import { findLines, type FoundLines, missingOf, type Sought } from './find-lines.ts';

export const makeReceipt = opsCommand({
  name: 'receipt',
  summary:
    'Makes the receipt of a closed cancellation: its records as archived, with the signed digests that prove them.',
  notes: `
With --json it is one file on standard output, for docs/verify-receipt.mjs: it verifies offline, without this project. docs/audit.md has an
example. Other partners' records are not in it; how many records were archived, and when, is.`,
  argument: { hint: 'JOBID', what: "Plangrep's id of the job" },
  options: {
    partner: { hint: 'acme', what: "the partner's partnerId (default: the owner of the job)" },
    'with-texts': { what: 'with externalId and reason, so that the commitments can be opened: personal data' },
    archive: { hint: 'PLACE', what: "a copy of the archive, or another bucket (default: the environment's own)" },
    since: {
      hint: 'TIME',
      what: 'for a cancellation that has expired from the table: look in the archive from this day on',
    },
  },
  async run({ place, terminal, values, argument, now }) {
    const jobId = readJobId('JOBID', argument);
    const partnerId = values.partner === undefined ? await ownerOf(place, jobId) : readPartner(values.partner);
    const stream = streamKey({ partnerId, jobId });
    const stored = await readStored(place, stream);
    const { sought, since } = seek(stored, values.since, stream);
    const from = values.archive ?? `s3://${await place.archiveBucket()}`;
    const archive = await openArchive(readArchivePlace(from, credentialsPath), {
      credentialsPath,
      region: place.region,
    });
    try {
      const found = await findLines(archive, stream, { sought, since });
      refuseIncomplete(stream, sought, found);
      const texts = values['with-texts'] ? stored.flatMap(textsOf) : undefined;
      const receipt = describe({ partnerId, jobId }, found, texts, now);
      terminal.show(receipt, linesOf(stream, found));
      return 0;
    } finally {
      archive.close();
    }
  },
});

async function readStored(place: Place, stream: string): Promise<readonly StoredRecord[]> {
  const query = {
    TableName: await place.table('CancellationLog'),
    ConsistentRead: true,
    KeyConditionExpression: '#partition = :partition',
    ExpressionAttributeNames: { '#partition': tables.CancellationLog.partitionKey },
    ExpressionAttributeValues: { ':partition': { S: stream } },
  };
  const records: StoredRecord[] = [];
  for await (const { Items = [] } of paginateQuery({ client: place.dynamodb }, query)) {
    records.push(...Items.map((item) => toRecord(item)));
  }
  return records;
}

/** What must be in the receipt, by what the table has. @throws CannotDo (1) */
function seek(stored: readonly StoredRecord[], given: string | undefined, stream: string) {
  const sought = stored.flatMap(({ key, fields }): Sought[] => {
    const at = timestampSchema.parse(fields['at']);
    const written: Sought = { key, change: 'written', at };
    return judgeTexts(fields).isErased ? [written, { ...written, change: 'erased' }] : [written];
  });
  const [first, ...others] = sought.map(({ at }) => at);
  const dated = first === undefined ? undefined : earliest(first, ...others);
  const since = given === undefined ? dated : readTime('--since', given);
  if (since !== undefined) return { sought, since };
  const why = 'if it has expired, say from which day on to look in the archive: --since 2026-11-01';
  throw new CannotDo(1, `The table has no cancellation ${stream}: ${why}.`);
}

/** @throws CannotDo (1) */
function refuseIncomplete(stream: string, sought: readonly Sought[], found: FoundLines): void {
  const events = found.lines.filter(({ read }) => parseEventKey(read.key) !== undefined);
  if (sought.length === 0 && events.length === 0)
    throw new CannotDo(1, `The archive has no cancellation ${stream} from then on.`);
  const missing = missingOf(sought, found);
  if (missing.length > 0) {
    const until =
      found.sealedUntil === undefined ? 'nothing is sealed yet' : `the archive is sealed until ${found.sealedUntil}`;
    throw new CannotDo(
      1,
      `${stream} is not sealed yet (${missing.join(', ')}): ${until}. A digest follows at least hourly.`,
    );
  }
  if (events.some(({ read }) => read.record['type'] === 'closed')) return;
  throw new CannotDo(1, `${stream} is still open: a receipt is for a cancellation that has ended.`);
}

/** The texts of a record, with their salts: they open its commitments. */
function textsOf({ key, fields }: StoredRecord): readonly object[] {
  const texts = Object.fromEntries(
    erasableAttributes.flatMap((name) => (name in fields ? [[name, fields[name]]] : [])),
  );
  return Object.keys(texts).length === 0 ? [] : [{ key, ...texts }];
}

function describe(
  name: { readonly partnerId: string; readonly jobId: string },
  { lines, digests }: FoundLines,
  texts: readonly object[] | undefined,
  now: number,
) {
  const read = digests.map(({ text }) => readDigest(text)?.digest);
  return {
    kind: 'plangrep-cancellation/receipt/1',
    ...name,
    environment: read[0]?.environment,
    madeAt: toTimestamp(now),
    /** By their fingerprints: the SHA-256 of their DER form. */
    publicKeys: [...new Set(read.map((digest) => digest?.publicKey))],
    lines: lines.map(({ proven }) => proven),
    digests,
    ...(texts !== undefined && { texts }),
  };
}

function linesOf(stream: string, { lines, digests }: FoundLines): readonly string[] {
  const shown = lines.map(({ read }) => `${read.at}  ${read.change}  ${read.key}`);
  const sealed = digests.map(({ name, text }) => `${name}  signed by the key ${readDigest(text)?.digest.publicKey}`);
  const what = `${count(lines.length)} lines of the archive prove ${stream}:`;
  return [what, ...shown, ...sealed, 'With --json, this is a receipt that others can verify: docs/audit.md.'];
}
