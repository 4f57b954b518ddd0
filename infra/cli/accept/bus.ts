import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import type { Environment } from '../../blueprint/environment-schema.ts';
import { sourceOf } from '../../blueprint/senders.ts';
import { callSigned, createSigner } from '../../local/aws/access-keys.ts';
import { CannotDo } from '../command.ts';
import type { Place } from '../places.ts';

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

export const putEventsAnswer = z.object({
  Entries: z.array(z.object({ EventId: z.optional(z.string()), ErrorCode: z.optional(z.string()) })),
});

/** What PutEvents says of its one entry. */
export function readPut(answer: unknown): Put {
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

/** The bus of an environment, for its first partner: in dev every principal of the account may put that one's events. */
export function openDeployedBus({ region, apiGateway }: Place, { name, eventBusName, partners }: Environment): Bus {
  const [partner] = partners;
  if (partner === undefined) throw new CannotDo(1, `${name} has no partner that sends events.`);
  const EventBusName = eventBusName ?? `plangrep-cancellation-${name}`;
  const endpoint = process.env['AWS_ENDPOINT_URL_EVENTBRIDGE'] ?? `https://events.${region}.amazonaws.com`;
  const signer = createSigner(apiGateway.credentials, region, 'events', true);
  return {
    partnerId: partner.partnerId,
    source: sourceOf(partner),
    async put(entry) {
      const body = JSON.stringify({ Entries: [{ ...entry, EventBusName }] });
      const { protocol, hostname, host } = new URL(endpoint);
      const { method, headers } = await signer.sign({
        method: 'POST',
        protocol,
        hostname,
        path: '/',
        headers: { Host: host, 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': 'AWSEvents.PutEvents' },
        body,
      });
      return readPut(await (await fetch(endpoint, { method, headers, body })).json());
    },
  };
}
