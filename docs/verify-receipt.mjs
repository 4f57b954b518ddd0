// Verifies the receipt of a cancellation, offline: node verify-receipt.mjs receipt.json --public-key key.pem
//
// It needs Node 20 or later and this file alone. The key must come from the operator on another way than the receipt does;
// give --public-key once for each key that the operator has had. Exit code: 0 the receipt holds, 1 it does not, 2 wrong
// usage, or a file cannot be read. docs/audit.md says how a receipt is made; docs/audit-format.md has every byte.

import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const receiptFields = 'kind partnerId jobId environment madeAt publicKeys lines digests texts'.split(' ');

/** Why the receipt does not hold. */
class Refused extends Error {}
/** Why nothing could be verified. */
class CannotVerify extends Error {}

try {
  const { receiptFile, keyFiles } = readArguments(process.argv.slice(2));
  const keys = new Map(keyFiles.map(readKey));
  const receipt = parseJson(read(receiptFile), `${receiptFile} is not JSON.`, CannotVerify);
  print(orMalformed(() => verifyReceipt(receipt, keys)));
} catch (error) {
  if (!(error instanceof Refused || error instanceof CannotVerify)) throw error;
  const isRefused = error instanceof Refused;
  // One line: what a forger wrote into a name must not look like an answer of this program.
  const line = isRefused ? `The receipt does not hold: ${error.message}.` : error.message;
  console.error(printable(line).replaceAll('\n', '?'));
  process.exitCode = isRefused ? 1 : 2;
}

/** A receipt may hold anything in place of what belongs there. */
function orMalformed(verifyIt) {
  try {
    return verifyIt();
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(`it is malformed (${error.message})`);
  }
}

/** Returns what the receipt proves. Throws Refused at the first thing that is wrong. */
function verifyReceipt(receipt, keys) {
  check(receipt?.kind === 'plangrep-cancellation/receipt/1', 'it is not a receipt of a version known here');
  checkNames(receipt, 'the receipt', receiptFields);
  const { partnerId, jobId, environment, lines, digests, texts = [] } = receipt;
  check(
    [partnerId, jobId, environment].every((name) => typeof name === 'string'),
    'it names no cancellation',
  );
  check([lines, digests, texts].every(Array.isArray), 'its lines, digests or texts are not lists');
  const stream = `${partnerId}#${jobId}`;

  // 1. The digests: signed statements of the operator about the objects of its archive.
  const seals = digests.map((file) => verifyDigest(file, environment, keys));
  const sealed = new Map(seals.flatMap((digest) => digest.objects.map((object) => [object.name, object])));

  // 2. The lines: each is in an object that a digest names. Then what they say of each record, in order.
  const records = replay(lines.map((line, index) => ({ ...verifyLine(line, sealed, `line ${index + 1}`), stream })));

  // 3. The events: numbered without a gap, chained by their hashes, and closed.
  const events = verifyChain(stream, { partnerId, jobId }, records);

  // 4. What stands beside the events, and texts that were erased.
  const beside = records.filter(({ key }) => !isEvent(key));
  for (const { key, record } of beside) {
    check(/^(joined|#erased)#/.test(key), `${key} is not a record of a cancellation`);
    check(record.partnerId === partnerId && record.jobId === jobId, `${key} is a record of another cancellation`);
  }
  const erasures = beside.filter(({ record }) => record.type === 'erased').map(({ record }) => record);
  const erased = records.filter(({ isErased }) => isErased);
  for (const { key } of erased) {
    const isOnRecord = erasures.some(({ keys: named }) => Array.isArray(named) && named.includes(key));
    check(isOnRecord, `the texts of ${key} are gone, and no erasure on record says so`);
  }

  // 5. The texts, if the receipt has them: each is the one that its record commits to.
  for (const text of texts) verifyTexts(text, records);
  return { stream, seals, events, beside, erasures, texts };
}

function verifyDigest(file, environment, keys) {
  check(typeof file?.text === 'string', 'a digest has no text');
  const [signed = '', signature = '', ...rest] = file.text.split('\n');
  check(rest.length === 1 && rest[0] === '', `the digest ${file.name} does not have two lines`);
  const digest = parseJson(signed, `the digest ${file.name} is not JSON`, Refused);
  check(digest?.kind === 'plangrep-cancellation/digest/1', `${file.name} is not a digest of a known version`);
  const key = keys.get(digest.publicKey);
  check(key !== undefined, `the digest ${file.name} was signed by the key ${digest.publicKey}, which was not given`);
  const isSigned = verify('sha256', Buffer.from(signed), key, Buffer.from(signature, 'base64'));
  check(isSigned, `the signature of the digest ${file.name} is wrong`);
  check(digest.environment === environment, `the digest ${file.name} is of the environment ${digest.environment}`);
  const name = `digests/day=${digest.until.slice(0, 10)}/${String(digest.number).padStart(10, '0')}.digest`;
  check(file.name === name, `the digest ${file.name} is ${name} in truth`);
  return digest;
}

function verifyLine({ line, object, index, size, path } = {}, sealed, where) {
  check(typeof line === 'string' && Array.isArray(path), `${where} is not a line with its path`);
  const seal = sealed.get(object);
  check(seal !== undefined, `${where} is of ${object}, which no digest here names`);
  check(size === seal.records, `${where} says that ${object} has ${size} lines, and the digest says ${seal.records}`);
  check(Number.isInteger(index) && index >= 0, `${where} has no place in its object`);
  const root = rootFrom(sha256('\0', line), index, size, path);
  check(
    root === seal.root,
    `${where} is not line ${index + 1} of ${object}: its path does not lead to the sealed root`,
  );
  const read = parseJson(line, `${where} is not JSON`, Refused);
  check(read?.format === 1 && typeof read.record === 'object', `${where} is not a line of a version known here`);
  return { ...read, where };
}

/** The root of the Merkle tree (RFC 9162, section 2.1) to which a path leads from a leaf. */
function rootFrom(leaf, index, size, path) {
  if (index >= size) return undefined;
  if (size === 1) return path.length === 0 ? leaf : undefined;
  if (path.length === 0) return undefined;
  const split = 2 ** (31 - Math.clz32(size - 1));
  const [rest, other] = [path.slice(0, -1), path.at(-1)];
  const own = index < split ? rootFrom(leaf, index, split, rest) : rootFrom(leaf, index - split, size - split, rest);
  if (own === undefined) return undefined;
  const [left, right] = (index < split ? [own, other] : [other, own]).map((hash) => Buffer.from(String(hash), 'hex'));
  return sha256('\x01', left, right);
}

/** What the changes of each record come to, by time (a restored table has other numbers): written, erased, expired. */
function replay(lines) {
  const records = new Map();
  const orderOf = ({ at, sequence }) => `${at} ${String(sequence).padStart(40, '0')}`;
  const inOrder = lines.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  for (const { where, stream, partition, key, sequence, change, record } of inOrder) {
    check(partition === stream, `${where} is a record of ${partition}, and not of ${stream}`);
    const known = records.get(key);
    if (change === 'written') {
      const isRepeat = known?.sequence === sequence && JSON.stringify(known.record) === JSON.stringify(record);
      check(known === undefined || isRepeat, `${key} was written twice`);
      if (known === undefined) records.set(key, { key, sequence, record, isErased: false });
      continue;
    }
    check(['erased', 'expired'].includes(change), `${key} was ${change}, which the service never does`);
    check(known !== undefined, `${key} was ${change}, and the receipt does not have its writing`);
    check(
      JSON.stringify(known.record) === JSON.stringify(record),
      `${key} was ${change}, and is not the record that was written`,
    );
    if (change === 'erased') known.isErased = true;
  }
  return [...records.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function verifyChain(stream, { partnerId, jobId }, records) {
  const events = records.filter(({ key }) => isEvent(key)).map(({ record }) => record);
  check(events.length > 0, 'it has no event');
  let previousHash = sha256(stream);
  for (const [index, event] of events.entries()) {
    const seq = index + 1;
    check(event.seq === seq, `event ${seq} is missing, or is in the wrong place`);
    check(event.format === 1, `event ${seq} has a version that this program does not know`);
    check(event.partnerId === partnerId && event.jobId === jobId, `event ${seq} is of another cancellation`);
    check(event.hash === hashOf(event), `the fields of event ${seq} do not give its hash`);
    check(event.previousHash === previousHash, `event ${seq} is not chained to the one before it`);
    previousHash = event.hash;
  }
  check(
    records.every(({ key, record }) => !isEvent(key) || key === `event#${String(record.seq).padStart(6, '0')}`),
    'an event has the key of another',
  );
  check(events.at(-1).type === 'closed', 'its last event does not close the cancellation: newer ones are missing');
  return events;
}

/** Of all fields but the hash itself, and the texts, which can be erased. */
function hashOf(event) {
  const outside = ['hash', 'externalId', 'externalIdSalt', 'reason', 'reasonSalt'];
  const fields = Object.entries(event).filter(([name]) => !outside.includes(name));
  return sha256(JSON.stringify(fields.sort(([a], [b]) => (a < b ? -1 : 1))));
}

function verifyTexts({ key, ...fields } = {}, records) {
  const found = records.find((record) => record.key === key);
  check(found !== undefined, `it has texts of ${key}, which is not in it`);
  const given = ['externalId', 'reason'].filter((field) => field in fields || `${field}Salt` in fields);
  check(given.length > 0, `it says that it has texts of ${key}, and has none`);
  checkNames(fields, `the texts of ${key}`, ['externalId', 'externalIdSalt', 'reason', 'reasonSalt']);
  for (const field of given) {
    const [text, salt] = [fields[field], fields[`${field}Salt`]];
    check(typeof text === 'string' && /^[0-9a-f]{32}$/.test(salt), `the ${field} of ${key} has no salt`);
    check(text.isWellFormed(), `the ${field} of ${key} is not Unicode`);
    const parts = ['plangrep-cancellation/commitment/1', field, Buffer.from(salt, 'hex'), text].map((part) =>
      Buffer.from(part),
    );
    const commitment = sha256(...parts.flatMap((part) => [lengthOf(part), part]));
    check(
      commitment === found.record[`${field}Commitment`],
      `the ${field} of ${key} is not the one that the record commits to`,
    );
  }
}

/** What is not checked must not stand beside what is. */
function checkNames(fields, where, names) {
  const other = Object.keys(fields).find((name) => !names.includes(name));
  check(other === undefined, `${where} has ${other}, which this program does not check`);
}

function lengthOf(part) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return length;
}

function print({ stream, seals, events, beside, erasures, texts }) {
  const shown = texts.length === 0 ? [] : ['The texts in the receipt are the ones that its records commit to.'];
  const gone = erasures.map(
    ({ at, reasonCode, by, records }) => `An erasure names ${records} records: ${at}, ${reasonCode}, by ${by}.`,
  );
  const keys = [...new Set(seals.map(({ publicKey }) => publicKey))];
  console.log(
    printable(`The receipt of ${stream} holds.

${events.map(({ seq, at, type, outcome }) => `event ${seq}  ${at}  ${type}${outcome === undefined ? '' : `: ${outcome}`}`).join('\n')}
${beside.map(({ record }) => `beside   ${record.at}  ${record.type}`).join('\n')}
${seals.map(({ number, from, until }) => `digest ${number}  sealed what was archived from ${from} until ${until}`).join('\n')}
signed by  ${keys.join(', ')}

It proves:
- The holder of that key had these records at the latest some minutes after the end of the digest that seals them, and none was changed since.
- The events are all of the chain up to the last one shown, in this order.
${[...shown, ...gone].map((line) => `- ${line}\n`).join('')}
It does not prove:
- That what the records say is true: they are what the service wrote.
- That the digests are the only ones: a holder of the key could sign others. Compare their hashes with what others have kept.
- That nothing followed: later events of a cancellation that ended as job_not_found, and other requests that joined, may be left out.`),
  );
}

function readArguments(args) {
  const [files, keyFiles] = [[], []];
  for (let n = 0; n < args.length; n += 1) {
    if (args[n] === '--public-key') keyFiles.push(args[(n += 1)] ?? '');
    else files.push(args[n]);
  }
  if (files.length !== 1 || files[0].startsWith('-') || keyFiles.length === 0) {
    throw new CannotVerify(
      'Usage: node verify-receipt.mjs receipt.json --public-key key.pem [--public-key older-key.pem]',
    );
  }
  return { receiptFile: files[0], keyFiles };
}

function readKey(file) {
  const pem = read(file);
  let key;
  try {
    // Of a private key this would make the public one: then who has it could have signed anything.
    if (!pem.includes('PRIVATE KEY')) key = createPublicKey(pem);
  } catch {
    // As any other file that is none.
  }
  if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new CannotVerify(`${file} is not a public key on the curve P-256 in PEM.`);
  }
  return [sha256(key.export({ type: 'spki', format: 'der' })), key];
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CannotVerify(`${file} cannot be read.`);
  }
}

function parseJson(text, why, Failure) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(`${why}`);
  }
}

/** A terminal obeys control characters, and some turn the order of what is read. */
function printable(text) {
  return text.replace(/[^\P{Cc}\n]|\p{Cf}/gu, '?');
}

function isEvent(key) {
  return key.startsWith('event#');
}

function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function check(holds, why) {
  if (!holds) throw new Refused(why);
}
