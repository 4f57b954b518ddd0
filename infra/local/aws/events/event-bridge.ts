import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { type AccessKey, callSigned } from '../access-keys.ts';
import {
  type AwsJsonEndpoint,
  type Caller,
  parseInput,
  ServiceError,
  startAwsJsonEndpoint,
} from '../aws-json-endpoint.ts';
import { accountOfArn, decidePut, type Decision, type PolicyStatement } from './bus-policy.ts';
import { applyRule, type BusEvent, isFor, type Listener, type Rule } from './event-rules.ts';
import { localAccount, localArn, localRegion } from '../loopback.ts';

/** A principal that can call. */
export interface Publisher extends AccessKey {
  /** The ARN of its role. */
  readonly principalArn: string;
}

export interface EventBridgeOptions {
  /** Whose keys are accepted. */
  readonly publishers: readonly Publisher[];
  /** The policy of the bus. */
  readonly policy: readonly PolicyStatement[];
  readonly rules: readonly Rule[];
  /** Rules with a target each. @default none */
  readonly listeners?: readonly Listener[];
  /** The target of every one of `rules`: takes the output of the rule's input transformer. */
  readonly deliver: (input: string, messageGroupId: string) => unknown;
}

export interface LocalEventBridge extends AwsJsonEndpoint {
  /** Events that matched no rule: EventBridge drops them silently. */
  dropped(): readonly BusEvent[];
}

/** For all entries of a request together. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
const MAX_REQUEST_BYTES = 1024 * 1024;
/** How much a `Time` counts in it. */
const TIME_BYTES = 14;
const MAX_DETAIL_TYPE_LENGTH = 128;

/** The default bus of the local account. */
export const bus = { busArn: localArn('events', 'event-bus/default'), account: localAccount };

const entrySchema = z.object({
  Source: z.optional(z.string()),
  DetailType: z.optional(z.string()),
  Detail: z.optional(z.string()),
  Resources: z.optional(z.array(z.string())),
  EventBusName: z.optional(z.string()),
  /** Seconds since 1970. */
  Time: z.optional(z.number()),
});
type Entry = z.infer<typeof entrySchema>;
const putEventsInput = z.object({ Entries: z.array(entrySchema).check(z.minLength(1), z.maxLength(10)) });
const putEventsAnswer = z.object({
  Entries: z.optional(z.array(z.looseObject({ EventId: z.optional(z.string()) }))),
});

/**
 * EventBridge's `PutEvents` on 127.0.0.1, with the default bus and its policy. As in AWS, a rejected entry does not fail
 * the others, an event that matches no rule is dropped, and `time` has whole seconds.
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
export async function startEventBridge({
  publishers,
  policy,
  rules,
  listeners = [],
  deliver,
}: EventBridgeOptions): Promise<LocalEventBridge> {
  const dropped: BusEvent[] = [];

  const put = (entry: Entry, principalArn: string): object => {
    try {
      const event = toEvent(entry, accountOfArn(principalArn));
      const { source, 'detail-type': detailType } = event;
      const decision = decidePut(policy, bus, { principalArn, source, detailType });
      if (decision !== 'allowed') throw refusal(decision, principalArn);
      let matches = 0;
      for (const rule of isForDefaultBus(entry) ? rules : []) {
        const output = applyRule(rule, event);
        if (output === undefined) continue;
        deliver(output, rule.messageGroupId);
        matches += 1;
      }
      for (const listener of isForDefaultBus(entry) ? listeners : []) {
        if (!isFor(listener, event)) continue;
        listener.take(event);
        matches += 1;
      }
      if (matches === 0) dropped.push(event);
      return { EventId: event.id };
    } catch (error) {
      // The publisher must send an event again that could not be delivered.
      const { type, message } =
        error instanceof ServiceError ? error : new ServiceError('InternalFailure', String(error));
      return { ErrorCode: type, ErrorMessage: message };
    }
  };

  const putEvents = (input: unknown, { accessKeyId }: Caller): object => {
    const { principalArn = '' } = publishers.find((publisher) => publisher.accessKeyId === accessKeyId) ?? {};
    const { Entries } = parseInput(putEventsInput, input, 'ValidationException');
    const bytes = Entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
    if (bytes > MAX_REQUEST_BYTES) {
      throw new ServiceError('ValidationException', 'Total size of the entries in the request is over the limit.');
    }
    const results = Entries.map((entry) => put(entry, principalArn));
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  };

  const endpoint = await startAwsJsonEndpoint({
    service: 'AWSEvents',
    keys: publishers,
    actions: { PutEvents: putEvents },
  });
  return { ...endpoint, dropped: () => [...dropped] };
}

/**
 * Publishes one event to an endpoint, as `aws events put-events` does. `Time` is in seconds since 1970.
 * @returns the event's id @throws when EventBridge rejects the call or the entry
 */
export async function putEvent(
  url: string,
  key: AccessKey,
  entry: Pick<Required<Entry>, 'Source' | 'DetailType' | 'Detail'> & Pick<Entry, 'Time'>,
): Promise<string> {
  const body = JSON.stringify({ Entries: [entry] });
  const response = await callSigned(url, key, { service: 'events', target: 'AWSEvents.PutEvents', body });
  const answer = await response.text();
  const { Entries: [result] = [] } = putEventsAnswer.parse(JSON.parse(answer));
  if (result?.EventId === undefined) throw new Error(`The event was rejected: ${answer}`);
  return result.EventId;
}

/**
 * @throws ServiceError when the entry is rejected
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
 */
function toEvent(entry: Entry, account: string): BusEvent {
  const source = required('Source', entry.Source);
  const detailType = required('DetailType', entry.DetailType);
  const detail = parseDetail(required('Detail', entry.Detail));
  if (source.startsWith('aws.')) {
    throw new ServiceError('NotAuthorizedForSourceException', 'Not authorized for the source.');
  }
  if (detailType.length > MAX_DETAIL_TYPE_LENGTH) throw invalid('DetailType', 'it is longer than 128 characters.');
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source,
    account,
    time: toTime(entry.Time ?? Date.now() / 1000),
    region: localRegion,
    resources: entry.Resources ?? [],
    detail,
  };
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html */
function refusal(decision: Exclude<Decision, 'allowed'>, principalArn: string): ServiceError {
  switch (decision) {
    case 'wrong_source':
      return new ServiceError('NotAuthorizedForSourceException', 'Not authorized for the source.');
    case 'wrong_detail_type':
      return new ServiceError('NotAuthorizedForDetailTypeException', 'Not authorized for the detail type.');
    case 'no_access': {
      const what = `${principalArn} is not authorized to perform: events:PutEvents on resource: ${bus.busArn}`;
      return new ServiceError('AccessDeniedException', what);
    }
  }
}

function invalid(name: string, reason: string): ServiceError {
  return new ServiceError('InvalidArgument', `Parameter ${name} is not valid. Reason: ${reason}`);
}

function required(name: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value;
  throw invalid(name, `${name} is a required argument.`);
}

function parseDetail(detail: string): object {
  try {
    const parsed: unknown = JSON.parse(detail);
    JSON.stringify(parsed); // Throws for a nesting that is too deep to deliver.
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch {
    // Reported below, as for JSON that is not an object.
  }
  throw new ServiceError('MalformedDetail', 'Detail is malformed.');
}

/** EventBridge delivers whole seconds. */
function toTime(seconds: number): string {
  const time = new Date(Math.floor(seconds) * 1000);
  if (Number.isNaN(time.getTime())) throw invalid('Time', 'it is not a time.');
  return time.toISOString().replace('.000Z', 'Z');
}

function bytesOf({ Source = '', DetailType = '', Detail = '', Resources = [], Time }: Entry): number {
  return Buffer.byteLength(Source + DetailType + Detail + Resources.join('')) + (Time === undefined ? 0 : TIME_BYTES);
}

/** An event for another bus matches no rule here. */
function isForDefaultBus({ EventBusName = 'default' }: Entry): boolean {
  return /^(arn:.+\/)?default$/.test(EventBusName);
}
