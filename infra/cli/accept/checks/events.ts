import { setTimeout as sleep } from 'node:timers/promises';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { fromItem, toItem } from '../../../../functions/adapters/dynamodb/table-client.ts';
import { closedEvent, eventDoor } from '../../../blueprint/bus-events.ts';
import { type Check, type Fault, fault, holds, same } from '../check.ts';
import { isObject } from '../send-request.ts';
import type { OperatorStage } from '../stage.ts';

const [cancelRequested, jobRegistered] = eventDoor.detailTypes;
/** The rule, the queue, a cold start; a cancel that overtakes its registration is tried again after a minute. */
const WITHIN_MS = 90_000;
const EVERY_MS = 1_000;
const AFTER_REGISTRATION_MS = 3_000;
const lookAt = 'docs/events.md, infra/constructs/events/event-door.ts, the log of consume-events';

/** What a careless transformer breaks: the template's own words, quotes, escapes, every plane of Unicode, a bidi mark. */
const hostileName = (run: string): string =>
  `<partnerId> <detail> <aws.events.event> "},"partnerId":"globex" \\" \\u0041 \\\\ $.id {} ' é ж 漢 😀 \u202e ${run}`;

async function put(
  { bus }: OperatorStage,
  DetailType: string,
  detail: object,
  Source = bus.source,
): Promise<readonly Fault[]> {
  const answer = await bus.put({ Source, DetailType, Detail: JSON.stringify(detail) });
  return answer.kind === 'taken' ? [] : fault(`the event was refused: ${answer.why}`, 'it is taken');
}

/** The events of a job's cancellation, as stored. */
async function recordsOf(
  { place }: OperatorStage,
  partnerId: string,
  jobId: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { Items = [] } = await place.dynamodb.send(
    new QueryCommand({
      TableName: await place.table('CancellationLog'),
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :event)',
      ExpressionAttributeValues: toItem({ ':pk': `${partnerId}#${jobId}`, ':event': 'event#' }),
    }),
  );
  return Items.map(fromItem).filter(isObject);
}

/** @returns the first value that is not undefined; undefined when there is none in time */
async function eventually<Value>(
  { signal }: OperatorStage,
  look: () => Promise<Value | undefined>,
): Promise<Value | undefined> {
  const until = performance.now() + WITHIN_MS;
  for (;;) {
    const value = await look();
    if (value !== undefined || performance.now() > until) return value;
    await sleep(EVERY_MS, undefined, { signal });
  }
}

/** Takes the message with this text out of the dead-letter queue. Others become visible again after the time. */
async function takeDeadLetter({ place }: OperatorStage, marker: string): Promise<string | undefined> {
  const QueueUrl = await place.queueUrl('events');
  if (QueueUrl === undefined) return undefined;
  const receive = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: 10,
    VisibilityTimeout: 2,
    WaitTimeSeconds: 1,
  });
  const { Messages = [] } = await place.sqs.send(receive);
  const found = Messages.find(({ Body }) => Body?.includes(marker));
  if (found === undefined) return undefined;
  await place.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: found.ReceiptHandle }));
  return found.Body;
}

/** The partner that a message's rule wrote: the first field. */
function partnerOf(body: string): unknown {
  try {
    const message: unknown = JSON.parse(body);
    return isObject(message) ? message['partnerId'] : undefined;
  } catch {
    return 'a message that is not JSON';
  }
}

/** A malformed event goes to the dead-letter queue as what it is, and as whose it is. */
async function expectDeadLetter(stage: OperatorStage, detail: object, marker: string): Promise<readonly Fault[]> {
  const refused = await put(stage, cancelRequested, detail);
  if (refused.length > 0) return refused;
  const body = await eventually(stage, () => takeDeadLetter(stage, marker));
  if (body === undefined) return fault('not in the dead-letter queue', `there within ${WITHIN_MS / 1000} s`);
  return same('partner of the message', partnerOf(body), stage.bus.partnerId);
}

/** Events, from the bus through rule and queue to the log. */
export const eventChecks: readonly Check[] = [
  {
    id: 'events.hostile-detail',
    shows: "a detail full of quotes, escapes, Unicode and the transformer's own words arrives as it was sent",
    needs: 'operator credentials',
    changes: true,
    runs: 'beside',
    limitMs: WITHIN_MS + 10_000,
    lookAt: `${lookAt}, infra/blueprint/bus-events.ts (inputTransformer); the partner needs a record: npm run ops -- partner show`,
    async run(stage) {
      const jobId = `job_sandbox_processing_${stage.partners.run}-event`;
      const externalId = hostileName(stage.partners.run);
      const registered = await put(stage, jobRegistered, { jobId, externalId });
      if (registered.length > 0) return registered;
      // A cancel that overtakes its registration is tried again, a minute later.
      await sleep(AFTER_REGISTRATION_MS, undefined, { signal: stage.signal });
      const cancelled = await put(stage, cancelRequested, { externalId, reason: externalId });
      if (cancelled.length > 0) return cancelled;
      const records = await eventually(stage, async () => {
        const found = await recordsOf(stage, stage.bus.partnerId, jobId);
        return found.some(({ type }) => type === 'closed') ? found : undefined;
      });
      if (records === undefined) return fault('no closed cancellation', `one within ${WITHIN_MS / 1000} s`);
      const requested = records.find(({ type }) => type === 'requested');
      return [
        ...same('externalId on record', requested?.['externalId'], externalId),
        ...same('reason on record', requested?.['reason'], externalId),
      ];
    },
  },
  {
    id: 'events.claimed-partner',
    shows: "a detail that names another partner: refused, and in the dead-letter queue as the rule's partner's",
    needs: 'operator credentials',
    changes: true,
    runs: 'beside',
    limitMs: WITHIN_MS + 10_000,
    lookAt,
    run(stage) {
      const marker = `claimed-${stage.partners.run}`;
      return expectDeadLetter(stage, { externalId: marker, partnerId: 'globex' }, marker);
    },
  },
  {
    id: 'events.malformed',
    shows: 'an event without an externalId: in the dead-letter queue at once, not after six tries',
    needs: 'operator credentials',
    changes: true,
    runs: 'beside',
    limitMs: WITHIN_MS + 10_000,
    lookAt,
    run(stage) {
      const marker = `malformed-${stage.partners.run}`;
      return expectDeadLetter(stage, { reason: marker }, marker);
    },
  },
  {
    id: 'events.forged',
    shows: 'an event in the name of this service: the bus refuses it',
    needs: 'operator credentials',
    changes: true,
    lookAt: 'infra/blueprint/bus-policy.ts',
    async run({ bus }) {
      const entry = { Source: closedEvent.source, DetailType: closedEvent.detailType, Detail: '{}' };
      const answer = await bus.put(entry);
      return holds(answer.kind === 'refused', 'the event was taken', 'it is refused');
    },
  },
  {
    id: 'events.of-another-partner',
    shows: "an event under another partner's source: refused, or it reaches no job",
    needs: 'operator credentials',
    changes: true,
    lookAt: 'infra/blueprint/bus-policy.ts, infra/constructs/events/event-door.ts',
    async run(stage) {
      const { partners, bus, signal } = stage;
      const { partnerId } = await partners.main();
      const jobId = `job_sandbox_processing_${partners.run}-other-source`;
      const detail = { jobId, externalId: 'other source' };
      const answer = await bus.put({
        Source: `partner.${partnerId}`,
        DetailType: jobRegistered,
        Detail: JSON.stringify(detail),
      });
      if (answer.kind === 'refused') return [];
      await sleep(5_000, undefined, { signal });
      const { status } = await stage.send({
        method: 'POST',
        path: '/v1/cancellations',
        token: (await partners.main()).credential,
        body: { externalId: detail.externalId, jobId },
      });
      return same('status of a cancel for its job', status, 404);
    },
  },
];
