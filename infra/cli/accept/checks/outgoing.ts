import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { closedEvent } from '../../../blueprint/bus-events.ts';
import { busNameOf } from '../bus.ts';
import { type Check, type Fault, fault, same } from '../check.ts';
import { expectStatus, pick } from '../expect-answer.ts';
import { readAws } from '../read-aws.ts';
import { isObject } from '../send-request.ts';
import type { AwsStage } from '../stage.ts';
import { cancel, registered } from './cancels.ts';

const ROUNDS = 4;
/** In each, for what the stream, the function and the bus take. */
const LOOKS = 3;
const WAIT_SECONDS = 5;

type Detail = Readonly<Record<string, unknown>>;

/** What listens for a moment: a rule for the run's own partner, and a queue. Named alike. */
interface Listener {
  readonly name: string;
  readonly bus: string;
  readonly queueUrl: string;
  readonly queueArn: string;
}

async function addQueue({ place }: AwsStage, name: string): Promise<Pick<Listener, 'queueUrl' | 'queueArn'>> {
  const { QueueUrl: queueUrl = '' } = await place.sqs.send(new CreateQueueCommand({ QueueName: name }));
  const asked = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] });
  const { Attributes } = await place.sqs.send(asked);
  return { queueUrl, queueArn: Attributes?.QueueArn ?? '' };
}

/** As EventBridge must be allowed to send. */
function policyFor(queueArn: string): string {
  const [, partition, , region, account, name] = queueArn.split(':');
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queueArn,
        Condition: { ArnLike: { 'aws:SourceArn': `arn:${partition}:events:${region}:${account}:rule/*/${name}` } },
      },
    ],
  });
}

type Call = readonly [action: string, input: Readonly<Record<string, unknown>>];

/** @returns why it is not possible with these credentials */
async function callAll(stage: AwsStage, calls: readonly Call[]): Promise<{ readonly skipped: string } | undefined> {
  for (const [operation, input] of calls) {
    const read = await readAws(stage, 'eventbridge', `events:${operation}`, { operation, input });
    if ('skipped' in read) return read;
  }
  return undefined;
}

/** @returns why it is not possible with these credentials */
async function addRule(
  stage: AwsStage,
  { name, bus, queueUrl, queueArn }: Listener,
): Promise<{ readonly skipped: string } | undefined> {
  const Policy = policyFor(queueArn);
  await stage.place.sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { Policy } }));
  const { partnerId } = await stage.partners.main();
  const EventPattern = JSON.stringify({
    source: [closedEvent.source],
    'detail-type': [closedEvent.detailType],
    detail: { partnerId: [partnerId] },
  });
  return callAll(stage, [
    ['PutRule', { Name: name, EventBusName: bus, EventPattern, Description: 'npm run accept, for some minutes' }],
    ['PutTargets', { Rule: name, EventBusName: bus, Targets: [{ Id: 'Queue', Arn: queueArn }] }],
  ]);
}

async function removeRule(stage: AwsStage, { name, bus, queueUrl }: Listener): Promise<void> {
  await callAll(stage, [
    ['RemoveTargets', { Rule: name, EventBusName: bus, Ids: ['Queue'] }],
    ['DeleteRule', { Name: name, EventBusName: bus }],
  ]).catch(() => undefined); // A rule that was not made cannot be removed.
  await stage.place.sqs.send(new DeleteQueueCommand({ QueueUrl: queueUrl }));
}

/** A job of the sandbox, and what its event says of its pages. */
interface Story {
  readonly kind: string;
  /** Empty: Plangrep has not counted them. */
  readonly pageCount: string;
  /** Who asked for the cancel of each of its jobs. */
  readonly requestIds: Map<string, string>;
}

/** Puts the details of the events that arrive into a map, by jobId. */
async function receive({ place }: AwsStage, { queueUrl }: Listener, details: Map<string, Detail>): Promise<void> {
  const asked = { QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: WAIT_SECONDS, VisibilityTimeout: 300 };
  const { Messages = [] } = await place.sqs.send(new ReceiveMessageCommand(asked));
  for (const { Body = '' } of Messages) {
    const event: unknown = JSON.parse(Body);
    const detail = isObject(event) ? event['detail'] : undefined;
    if (isObject(detail)) details.set(String(detail['jobId']), detail);
  }
}

/** The events of a story's jobs. */
const eventsOf = ({ requestIds }: Story, details: ReadonlyMap<string, Detail>): readonly Detail[] =>
  [...requestIds.keys()].map((jobId) => details.get(jobId)).filter((detail) => detail !== undefined);

/** A new rule counts some seconds later, so jobs are cancelled until their events arrive. */
async function play(stage: AwsStage, listener: Listener, stories: readonly Story[]): Promise<readonly Fault[]> {
  const details = new Map<string, Detail>();
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const { kind, requestIds } of stories) {
      const { jobId, externalId } = await registered(stage, kind, `outgoing-${round}`);
      const answer = await cancel(stage, { externalId });
      if (answer.status !== 200) return expectStatus(answer, 200);
      requestIds.set(jobId, answer.requestId);
    }
    for (let look = 1; look <= LOOKS; look += 1) {
      await receive(stage, listener, details);
      if (stories.every((story) => eventsOf(story, details).length > 0)) break;
    }
    if (stories.every((story) => eventsOf(story, details).length > 0)) break;
  }
  const { partnerId } = await stage.partners.main();
  return stories.flatMap((story) => judge(story, partnerId, eventsOf(story, details)));
}

function judge(
  { kind, pageCount, requestIds }: Story,
  partnerId: string,
  [detail]: readonly Detail[],
): readonly Fault[] {
  if (detail === undefined) return fault(`no event about a job that is ${kind}`, 'one');
  const seen = pick(detail, ['partnerId', 'outcome', 'jobStatus', 'requestId', 'pageCount']);
  return same(`detail of a job that was ${kind}`, seen, {
    partnerId,
    outcome: 'cancelled',
    jobStatus: 'cancelled',
    requestId: requestIds.get(String(detail['jobId'])),
    pageCount,
  });
}

/** What goes out to others. */
export const outgoingChecks: readonly Check[] = [
  {
    id: 'outgoing.closed',
    shows: 'Job Cancellation Closed arrives on the bus, also of a job whose pages Plangrep has not counted',
    needs: 'AWS',
    changes: true,
    runs: 'beside',
    limitMs: 120_000,
    lookAt: 'functions/core/announcements.ts, npm run ops -- dlq list, docs/events.md',
    async run(stage) {
      const name = `plangrep-cancellation-${stage.environment.name}-${stage.partners.run}`;
      const bus = busNameOf(stage.environment);
      const listener = { name, bus, ...(await addQueue(stage, name)) };
      try {
        const stories = [
          { kind: 'processing', pageCount: '204', requestIds: new Map() },
          // Plangrep has not counted its pages, so the record lacks that attribute.
          { kind: 'preflighting', pageCount: '', requestIds: new Map() },
        ];
        return (await addRule(stage, listener)) ?? (await play(stage, listener, stories));
      } finally {
        await removeRule(stage, listener);
      }
    },
  },
];
