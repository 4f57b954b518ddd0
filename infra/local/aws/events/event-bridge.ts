import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { type AwsJsonEndpoint, parseInput, ServiceError, startAwsJsonEndpoint } from '../aws-json-endpoint.ts';
import { type BusEvent, matches, type PartnerRule, transform } from './rules.ts';

export interface EventBridgeOptions {
  /** @default any free one */
  readonly port?: number | undefined;
  readonly region: string;
  readonly rules: readonly PartnerRule[];
  /** A rule's target: takes what the rule's input transformer made of an event. */
  readonly deliver: (input: string) => void;
}

export interface LocalEventBridge extends AwsJsonEndpoint {
  /** Events that no rule wanted: EventBridge drops them without a word. */
  dropped(): readonly BusEvent[];
}

/** Of a request's entries together. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
const MAX_REQUEST_BYTES = 1024 * 1024;
/** How EventBridge counts a `Time`. */
const TIME_BYTES = 14;
const MAX_DETAIL_TYPE_LENGTH = 128;

const putEventsInput = z.object({
  Entries: z
    .array(
      z.object({
        Source: z.optional(z.string()),
        DetailType: z.optional(z.string()),
        Detail: z.optional(z.string()),
        Resources: z.optional(z.array(z.string())),
        EventBusName: z.optional(z.string()),
        /** Seconds since 1970. */
        Time: z.optional(z.number()),
      }),
    )
    .check(z.minLength(1), z.maxLength(10)),
});
type Entry = z.infer<typeof putEventsInput>['Entries'][number];

/**
 * Why one entry is refused; the others are not.
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
 */
class EntryError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const invalid = (name: string, reason: string): EntryError =>
  new EntryError('InvalidArgument', `Parameter ${name} is not valid. Reason: ${reason}`);

const required = (name: string, value: string | undefined): string => {
  if (value !== undefined && value !== '') return value;
  throw invalid(name, `${name} is a required argument.`);
};

const parseDetail = (detail: string): object => {
  try {
    const parsed: unknown = JSON.parse(detail);
    JSON.stringify(parsed); // Throws where it is nested too deeply to be passed on.
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch {
    throw new EntryError('MalformedDetail', 'Detail is malformed.');
  }
  throw new EntryError('MalformedDetail', 'Detail is malformed.');
};

/** EventBridge passes on whole seconds. */
const toTime = (seconds: number): string => {
  const time = new Date(Math.floor(seconds) * 1000);
  if (Number.isNaN(time.getTime())) throw invalid('Time', 'it is no time.');
  return time.toISOString().replace('.000Z', 'Z');
};

const toEvent = (entry: Entry, region: string): BusEvent => {
  const source = required('Source', entry.Source);
  const detailType = required('DetailType', entry.DetailType);
  const detail = parseDetail(required('Detail', entry.Detail));
  if (source.startsWith('aws.')) {
    throw new EntryError('NotAuthorizedForSourceException', 'Not authorized for the source.');
  }
  if (detailType.length > MAX_DETAIL_TYPE_LENGTH) throw invalid('DetailType', 'it is longer than 128 characters.');
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source,
    account: '000000000000',
    time: toTime(entry.Time ?? Date.now() / 1000),
    region,
    resources: entry.Resources ?? [],
    detail,
  };
};

const bytesOf = ({ Source = '', DetailType = '', Detail = '', Resources = [], Time }: Entry): number =>
  Buffer.byteLength(Source + DetailType + Detail + Resources.join('')) + (Time === undefined ? 0 : TIME_BYTES);

/** There is one bus here. An event for another has no rules. */
const isForDefaultBus = ({ EventBusName = 'default' }: Entry): boolean => /^(arn:.+\/)?default$/.test(EventBusName);

/**
 * EventBridge's `PutEvents` on 127.0.0.1, with one rule per partner. As in life, an entry that is refused does not fail
 * the others, an event that no rule wants is dropped, and `time` has whole seconds.
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 * @throws the system's error when the port is not to be had
 */
export const startEventBridge = async (options: EventBridgeOptions): Promise<LocalEventBridge> => {
  const { port, region, rules, deliver } = options;
  const dropped: BusEvent[] = [];

  const put = (entry: Entry): object => {
    try {
      const event = toEvent(entry, region);
      const wanted = isForDefaultBus(entry) ? rules.filter((rule) => matches(rule, event)) : [];
      for (const rule of wanted) deliver(transform(rule, event));
      if (wanted.length === 0) dropped.push(event);
      return { EventId: event.id };
    } catch (error) {
      // Whoever published it is to repeat what could not be kept.
      const { code, message } =
        error instanceof EntryError ? error : { code: 'InternalFailure', message: String(error) };
      return { ErrorCode: code, ErrorMessage: message };
    }
  };

  const putEvents = (input: unknown): object => {
    const { Entries } = parseInput(putEventsInput, input, 'ValidationException');
    const bytes = Entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
    if (bytes > MAX_REQUEST_BYTES) {
      throw new ServiceError('ValidationException', 'Total size of the entries in the request is over the limit.');
    }
    const results = Entries.map(put);
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  };

  const endpoint = await startAwsJsonEndpoint({ port, service: 'AWSEvents', actions: { PutEvents: putEvents } });
  return { ...endpoint, dropped: () => [...dropped] };
};
