import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import type { Environment } from '../../blueprint/environment-schema.ts';
import { sourceOf } from '../../blueprint/senders.ts';
import { callSigned } from '../../local/aws/access-keys.ts';
import { CannotDo } from '../command.ts';
import type { AskAws } from '../preflight/ask-aws.ts';

/** An event as it is put on the bus. */
export interface Entry {
  readonly Source: string;
  readonly DetailType: string;
  /** JSON. */
  readonly Detail: string;
}

export type Put =
  | { readonly kind: 'taken'; readonly eventId: string }
  | { readonly kind: 'refused'; readonly why: string };

/** The event bus, and a partner in whose name events can be put. */
export interface Bus {
  readonly partnerId: string;
  readonly source: string;
  put(entry: Entry): Promise<Put>;
}

const putEventsAnswer = z.object({
  Entries: z.array(z.object({ EventId: z.optional(z.string()), ErrorCode: z.optional(z.string()) })),
});

/** What PutEvents says of its one entry. */
function readPut(answer: unknown): Put {
  const [entry] = putEventsAnswer.parse(answer).Entries;
  return entry?.EventId === undefined
    ? { kind: 'refused', why: entry?.ErrorCode ?? 'no entry' }
    : { kind: 'taken', eventId: entry.EventId };
}

const keySchema = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() });
const credentialsSchema = z.object({
  endpoints: z.object({ eventbridge: z.url() }),
  partners: z.array(z.object({ partnerId: z.string(), eventSource: z.string(), aws: keySchema })),
});

/** The bus of the local run, with the key of its first partner. @param path where the run wrote its credentials */
export function openLocalBus(path: string): Bus {
  const { endpoints, partners } = credentialsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const [partner] = partners;
  if (partner === undefined) throw new Error('a local run without partners');
  return {
    partnerId: partner.partnerId,
    source: partner.eventSource,
    async put(entry) {
      const body = JSON.stringify({ Entries: [entry] });
      const how = { service: 'events', target: 'AWSEvents.PutEvents', body };
      return readPut(await (await callSigned(endpoints.eventbridge, partner.aws, how)).json());
    },
  };
}

export function busNameOf({ name, eventBusName }: Pick<Environment, 'name' | 'eventBusName'>): string {
  return eventBusName ?? `plangrep-cancellation-${name}`;
}

/** The bus of an environment, for its first partner: in dev every principal of the account may put that one's events. */
export function openDeployedBus(ask: AskAws, environment: Environment): Bus {
  const [partner] = environment.partners;
  if (partner === undefined) throw new CannotDo(1, `${environment.name} has no partner that sends events.`);
  const EventBusName = busNameOf(environment);
  return {
    partnerId: partner.partnerId,
    source: sourceOf(partner),
    async put(entry) {
      const call = { operation: 'PutEvents', input: { Entries: [{ ...entry, EventBusName }] } };
      const answer = await ask('eventbridge', 'events:PutEvents', call);
      switch (answer.kind) {
        case 'answer':
          return readPut(JSON.parse(answer.text));
        case 'denied':
          return { kind: 'refused', why: 'AccessDeniedException' };
        case 'error':
          return { kind: 'refused', why: answer.code };
        case 'silent':
          throw new CannotDo(1, `events:PutEvents: ${answer.why}`);
      }
    },
  };
}
