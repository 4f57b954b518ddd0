import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { type AwsJsonEndpoint, parseInput, startAwsJsonEndpoint } from '../aws-json-endpoint.ts';
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

/** Of one entry, as EventBridge counts it. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
const MAX_ENTRY_BYTES = 256 * 1024;

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

class EntryError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const required = (name: string, value: string | undefined): string => {
  if (value !== undefined && value !== '') return value;
  throw new EntryError('InvalidArgument', `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);
};

const parseDetail = (detail: string): object => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(detail);
  } catch {
    throw new EntryError('MalformedDetail', 'Detail is malformed.');
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw new EntryError('MalformedDetail', 'Detail is malformed.');
};

const toEvent = (entry: Entry, region: string): BusEvent => {
  const source = required('Source', entry.Source);
  const detailType = required('DetailType', entry.DetailType);
  const detail = required('Detail', entry.Detail);
  const bytes = Buffer.byteLength(`${source}${detailType}${detail}${(entry.Resources ?? []).join('')}`);
  if (bytes > MAX_ENTRY_BYTES) throw new EntryError('InvalidArgument', 'The entry is over 256 KB.');
  const seconds = Math.floor(entry.Time ?? Date.now() / 1000);
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source,
    account: '000000000000',
    time: new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'),
    region,
    resources: entry.Resources ?? [],
    detail: parseDetail(detail),
  };
};

/**
 * EventBridge's `PutEvents` on 127.0.0.1, with one rule per partner. As in life, an entry that is refused does not fail
 * the others, an event that no rule wants is dropped, and `time` has whole seconds.
 */
export const startEventBridge = async (options: EventBridgeOptions): Promise<LocalEventBridge> => {
  const { port, region, rules, deliver } = options;
  const dropped: BusEvent[] = [];

  const put = (entry: Entry): object => {
    try {
      const event = toEvent(entry, region);
      const wanted = rules.filter((rule) => matches(rule, event));
      for (const rule of wanted) deliver(transform(rule, event));
      if (wanted.length === 0) dropped.push(event);
      return { EventId: event.id };
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      return { ErrorCode: error.code, ErrorMessage: error.message };
    }
  };

  const endpoint = await startAwsJsonEndpoint({
    port,
    service: 'AWSEvents',
    actions: {
      PutEvents: (input) => {
        const results = parseInput(putEventsInput, input, 'ValidationException').Entries.map(put);
        return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
      },
    },
  });
  return { ...endpoint, dropped: () => [...dropped] };
};
