import { text } from 'node:stream/consumers';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { announcementSource, type EventBus } from '../../core/announcements.ts';
import { DependencyUnavailable } from '../../core/report.ts';
import { createAwsCall } from '../call-aws.ts';

const answerSchema = z.object({
  Entries: z.array(z.object({ EventId: z.optional(z.string()), ErrorCode: z.optional(z.string()) })),
});

export interface EventBusPlace {
  /** Of EventBridge, not of the bus. */
  readonly url: string;
  /** Its name or ARN. */
  readonly bus: string;
}

/**
 * Puts events on an EventBridge bus: a second copy of an event does no harm.
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
export function createEventBus(client: Pick<DynamoDBClient, 'config'>, { url, bus }: EventBusPlace): EventBus {
  const putEvents = createAwsCall(client, ['events', 'AWSEvents.PutEvents', '1.1']);
  return {
    async put(announcements) {
      if (announcements.length === 0) return { kind: 'taken' };
      const stopped = (at: number, cause: unknown) =>
        ({ kind: 'stopped', at, error: new DependencyUnavailable('event-bus', cause) }) as const;
      try {
        const body = await putEvents(url, {
          Entries: announcements.map(({ detailType, detail }) => ({
            EventBusName: bus,
            Source: announcementSource,
            DetailType: detailType,
            Detail: JSON.stringify(detail),
          })),
        });
        const { Entries } = answerSchema.parse(JSON.parse(await text(body)));
        const at = announcements.findIndex((_, index) => Entries[index]?.EventId === undefined);
        return at === -1 ? { kind: 'taken' } : stopped(at, new EntryRefused(Entries[at]?.ErrorCode));
      } catch (error) {
        return stopped(0, error);
      }
    },
  };
}

/** An event that the bus did not take, while the call succeeded. Its name is what a log line shows of it. */
class EntryRefused extends Error {
  constructor(code = 'NoAnswer') {
    super(`EventBridge refused an event: ${code}`);
    this.name = code;
  }
}
