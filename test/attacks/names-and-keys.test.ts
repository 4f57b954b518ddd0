import { isUtf8 } from 'node:buffer';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyResult, Context } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createPagedDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import { streamKey } from '../../functions/core/cancellation/stream-key.ts';
import { handleEvents } from '../../functions/doors/eventbridge/handle-events.ts';
import { handleReadCancellations } from '../../functions/doors/http/handle-read-cancellations.ts';
import { handleRegisterJob } from '../../functions/doors/http/handle-register-job.ts';
import { handleRequestCancellation } from '../../functions/doors/http/handle-request-cancellation.ts';
import type { HttpHandler } from '../../functions/doors/http/serve.ts';
import { type HttpRequest, proxyEvent, sqsEvent, sqsRecord } from '../proof/crash/invocations.ts';
import { type AllPorts, createMemoryPorts } from '../support/memory-ports.ts';

/**
 * Names as bytes, as a caller sends them, go through the doors' own code to the keys of the tables. Each property runs
 * with a fixed seed and with a new one; fast-check prints the seed and the path of what fails.
 */
const seeds = [
  ['a fixed seed', { seed: 12 }],
  ['another seed every time', {}],
] as const;
const numRuns = 500;

/** What a door did with a request: the keys that it asked the tables for, or the fields that it refused. */
interface Reached {
  readonly keys: readonly string[];
  readonly refused: readonly string[];
}

const keyFields = z.object({
  Key: z.optional(z.looseObject({ pk: z.object({ S: z.string() }) })),
  Item: z.optional(z.looseObject({ pk: z.object({ S: z.string() }) })),
  ExpressionAttributeValues: z.optional(z.looseObject({ ':pk': z.optional(z.object({ S: z.string() })) })),
});

/** The partitions that were asked for since the ports were made. */
const asked: string[] = [];
/** Tables that are empty. */
const client = new DynamoDBClient({ region: 'eu-west-1' });
client.middlewareStack.add(
  () =>
    async ({ input }) => {
      const { Key, Item, ExpressionAttributeValues } = keyFields.parse(input);
      const partitions = [Key?.pk, Item?.pk, ExpressionAttributeValues?.[':pk']];
      asked.push(...partitions.flatMap((key) => (key === undefined ? [] : [key.S])));
      return { output: { $metadata: {} }, response: {} };
    },
  { step: 'initialize' },
);

/** The core with the real directory. */
function createPorts(): AllPorts {
  asked.length = 0;
  const memory = createMemoryPorts();
  const read = memory.log.read.bind(memory.log);
  memory.log.read = (partnerId, jobId) => {
    asked.push(streamKey({ partnerId, jobId }));
    return read(partnerId, jobId);
  };
  return { ...memory, directory: createPagedDirectory(client, 'JobDirectory') };
}

const context = { getRemainingTimeInMillis: () => 15_000 } as Context;
const problemSchema = z.object({ errors: z.optional(z.array(z.object({ path: z.string() }))) });

function pathsOf({ statusCode, body }: APIGatewayProxyResult): readonly string[] {
  if (statusCode !== 400) return [];
  const { errors = [] } = problemSchema.parse(JSON.parse(body));
  return [...new Set(errors.map(({ path }) => path))];
}

async function request(door: (ports: AllPorts) => HttpHandler, sent: HttpRequest): Promise<Reached> {
  const answer = await door(createPorts())(proxyEvent('acme', 'request-1', sent), context);
  return { keys: [...asked], refused: pathsOf(answer) };
}

function register(pathParameters: { readonly jobId: string }, body: Buffer): Promise<Reached> {
  const target = { method: 'PUT', resource: '/v1/jobs/{jobId}', path: `/v1/jobs/${pathParameters.jobId}` } as const;
  return request(handleRegisterJob, { ...target, pathParameters, body: body.toString() });
}

async function publish(id: Buffer, detail: Buffer): Promise<Reached> {
  const ports = createPorts();
  const frame = [
    '"partnerId":"acme","time":"2026-11-23T12:00:00Z","detailType":"Job Cancellation Requested"',
    `"id":"${id.toString()}"`,
    `"detail":${detail.toString()}`,
  ];
  const queue = { maxReceives: 5, setAside: () => Promise.resolve() };
  await handleEvents(ports, queue)(sqsEvent(sqsRecord('message-1', `{${frame.join(',')}}`)), context);
  return { keys: [...asked], refused: asked.length === 0 ? ['externalId'] : [] };
}

const path = '/v1/cancellations';
const post = { method: 'POST', resource: path, path } as const;
const json = (field: string, value: Buffer, more = '') =>
  Buffer.concat([Buffer.from(`{"${field}":"`), value, Buffer.from(`"${more}}`)]);
const percent = (bytes: Buffer) => bytes.toString('hex').replaceAll(/../g, '%$&');

/** Every door that takes an externalId, given the bytes of one. API Gateway and EventBridge have decoded them before. */
const externalIdDoors: Readonly<Record<string, (name: Buffer) => Promise<Reached>>> = {
  'a body that API Gateway decoded': (name) =>
    request(handleRequestCancellation, { ...post, body: json('externalId', name).toString() }),
  'a body in base64': (name) => {
    const body = json('externalId', name).toString('base64');
    return request(handleRequestCancellation, { ...post, body, isBase64Encoded: true });
  },
  'a query': (name) => {
    const values = [...new URLSearchParams(`externalId=${percent(name)}`).values()];
    return request(handleReadCancellations, { method: 'GET', resource: path, path, query: { externalId: values } });
  },
  'an event': (name) => publish(Buffer.from('event-1'), json('externalId', name)),
};

const requestKeyDoors = {
  header: (key: string) => {
    const headers = { 'Idempotency-Key': [key] };
    return request(handleRequestCancellation, { ...post, headers, body: '{"externalId":"order-7890"}' });
  },
  event: (id: Buffer) => publish(id, json('externalId', Buffer.from('order-7890'))),
};

/** Bytes of a name, most of them near the edge of what is UTF-8. Quotes, backslashes and controls are not the matter. */
const words = fc.oneof(fc.constantFrom('commande-é', 'commande-è', 'order-7890', 'Ångström', '😀'), fc.string());
const nameBytes = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((text) => Buffer.from(text)),
    fc
      .tuple(words, fc.constantFrom('latin1', 'utf8', 'utf16le'))
      .map(([text, encoding]) => Buffer.from(text, encoding)),
    fc
      .tuple(
        words,
        fc.constantFrom('c080', 'e9', 'eda080', 'f5808080', 'e282', 'efbbbf', 'efbfbd', 'fffe', 'ee8080'),
        words,
      )
      .map(([before, odd, after]) => Buffer.concat([Buffer.from(before), Buffer.from(odd, 'hex'), Buffer.from(after)])),
  )
  .map((bytes) => bytes.map((byte) => (byte < 0x20 || byte === 0x22 || byte === 0x5c ? 0x78 : byte)))
  .filter((bytes) => bytes.length > 0)
  .map((bytes) => Buffer.from(bytes));
const jobIds = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/).map((id) => Buffer.from(id));
/** Two names that differ: at random, or by one byte. */
const twoNames = fc
  .oneof(
    fc.tuple(nameBytes, nameBytes),
    fc.tuple(nameBytes, fc.nat(11), fc.integer({ min: 0x5d, max: 0xff })).map(([one, at, byte]) => {
      const other = Buffer.from(one);
      other[at % other.length] = byte;
      return [one, other] as const;
    }),
  )
  .filter(([one, other]) => !one.equals(other));

const isName = (bytes: Buffer): boolean => isUtf8(bytes) && !/[\p{Cc}\ufffd]/u.test(bytes.toString());
const isPrintableAscii = (bytes: Buffer): boolean => /^[\x20-\x7e]+$/.test(bytes.toString('latin1'));
const isJobId = (bytes: Buffer): boolean => /^[A-Za-z0-9_-]+$/.test(bytes.toString('latin1'));
const jobsKeys = ({ keys }: Reached) => keys.filter((key) => key.startsWith('acme#job#'));
const bindingKeys = ({ keys }: Reached) => keys.filter((key) => key.startsWith('acme#request#'));

describe.each(seeds)('with %s', (_, seed) => {
  const holds = <Input>(inputs: fc.Arbitrary<Input>, predicate: (input: Input) => Promise<void>) =>
    fc.assert(fc.asyncProperty(inputs, predicate), { ...seed, numRuns });

  test.each(Object.entries(externalIdDoors))(
    'an externalId in %s reaches the key of exactly its bytes, or none',
    (_door, reach) =>
      holds(nameBytes, async (name) => {
        const reached = await reach(name);

        const names = jobsKeys(reached).map((key) => Buffer.from(key.slice('acme#job#'.length)).toString('hex'));
        const [kept, refused] = isName(name) ? [[name.toString('hex')], []] : [[], ['externalId']];
        expect({ names: [...new Set(names)], refused: reached.refused }).toEqual({ names: kept, refused });
      }),
  );

  test('a registration takes the same externalIds', () =>
    holds(nameBytes, async (name) => {
      const { refused } = await register({ jobId: 'job_1' }, json('externalId', name));

      expect(refused).toEqual(isName(name) ? [] : ['externalId']);
    }));

  test('two externalIds never reach the same key, by whatever doors they come', () => {
    const doors = fc.constantFrom(...Object.values(externalIdDoors));
    return holds(fc.tuple(twoNames, doors, doors), async ([[one, other], doorOfOne, doorOfOther]) => {
      const those = new Set(jobsKeys(await doorOfOne(one)));

      expect(jobsKeys(await doorOfOther(other)).filter((key) => those.has(key))).toEqual([]);
    });
  });

  test('two request keys never reach the same binding, as Idempotency-Key or as id of an event', () =>
    holds(fc.tuple(twoNames, fc.boolean()), async ([[one, other], isDecoded]) => {
      const sent = (key: Buffer) => requestKeyDoors.header(key.toString(isDecoded ? 'utf8' : 'latin1'));
      const reached = [await sent(one), await sent(other), await requestKeyDoors.event(one)];
      const bindings = reached.map((each) => new Set(bindingKeys(each)));

      expect(bindings.map(({ size }) => size)).toEqual([one, other, one].map((key) => (isPrintableAscii(key) ? 1 : 0)));
      expect(new Set(bindings.flatMap((each) => [...each])).size).toBe(
        bindings.reduce((sum, { size }) => sum + size, 0),
      );
      expect(reached[0]?.refused).toEqual(isPrintableAscii(one) ? [] : ['Idempotency-Key']);
    }));

  test('a jobId reaches the stream of exactly its bytes, or none, decoded or not', () =>
    holds(fc.tuple(fc.oneof(nameBytes, jobIds), fc.boolean()), async ([id, isDecoded]) => {
      const jobId = isDecoded || isJobId(id) ? id.toString() : percent(id);
      const resource = `${path}/{jobId}`;
      const read = await request(handleReadCancellations, {
        method: 'GET',
        resource,
        path: `${path}/${jobId}`,
        pathParameters: { jobId },
      });
      const registered = await register({ jobId }, Buffer.from('{"externalId":"order-7890"}'));

      expect([read.refused, registered.refused]).toEqual(isJobId(id) ? [[], []] : [['jobId'], ['jobId']]);
      const streams = new Set([...read.keys, ...registered.keys].filter((key) => /^acme#(?!job#)/.test(key)));
      expect([...streams].filter((key) => key !== `acme#${id.toString('latin1')}`)).toEqual([]);
    }));

  test('a reason is kept as exactly its bytes, or refused', () =>
    holds(nameBytes, async (reason) => {
      const ports = createMemoryPorts();
      const body = json('reason', reason, ',"externalId":"order-0000"').toString();
      const answer = await handleRequestCancellation(ports)(
        proxyEvent('acme', 'request-1', { ...post, body }),
        context,
      );

      expect(pathsOf(answer)).toEqual(isName(reason) ? [] : ['reason']);
      const kept = ports.log.refused.map((record) => Buffer.from(record.reason ?? '').toString('hex'));
      expect(kept).toEqual(isName(reason) ? [reason.toString('hex')] : []);
    }));
});
