import * as z from 'zod/mini';
import { createDynamoDbClient, createSecretsManagerClient } from '../adapters/aws-clients.ts';
import { createPostCallback } from '../adapters/callbacks/post-callback.ts';
import { createSigningSecrets } from '../adapters/callbacks/signing-secrets.ts';
import { createCallbackEndpoints } from '../adapters/dynamodb/callback-endpoints.ts';
import { createCallbackLog } from '../adapters/dynamodb/callback-log.ts';
import { createEventBus } from '../adapters/eventbridge/event-bus.ts';
import { createCallbackQueue } from '../adapters/sqs/callback-queue.ts';
import { createSendMessage } from '../adapters/sqs/send-message.ts';
import type { CallbackPorts } from '../core/callbacks/ports.ts';
import { createSlowEndpoints } from '../core/callbacks/slow-endpoints.ts';
import { presentCallback } from '../doors/callbacks/present-callback.ts';
import type { AnnouncePorts } from '../doors/stream/announce-records.ts';
import { readConfiguration, report, systemClock, text, variables } from './surroundings.ts';

/** For the function that announces what is in the log. */
export function composeAnnouncing(): AnnouncePorts {
  // Not among the others, so that no other bundle has them.
  const { EVENTBRIDGE_URL, EVENT_BUS_NAME, CALLBACK_QUEUE_URL } = readConfiguration(
    z.object({ EVENTBRIDGE_URL: z.url(), EVENT_BUS_NAME: text, CALLBACK_QUEUE_URL: z.url() }),
  );
  const client = createDynamoDbClient();
  return {
    bus: createEventBus(client, { url: EVENTBRIDGE_URL, bus: EVENT_BUS_NAME }),
    callbacks: createCallbackQueue(createSendMessage(client), CALLBACK_QUEUE_URL),
    report,
  };
}

/** For the function that delivers callbacks. */
export function composeDelivering(): CallbackPorts {
  const configuration = readConfiguration(
    z.object({
      ...z.pick(variables, { ENVIRONMENT: true, CANCELLATION_LOG_TABLE: true, PARTNERS_TABLE: true }).shape,
      CALLBACK_QUEUE_URL: z.url(),
      CALLBACK_SECRET_ID: text,
    }),
  );
  const client = createDynamoDbClient();
  return {
    log: createCallbackLog(client, configuration.CANCELLATION_LOG_TABLE),
    endpoints: createCallbackEndpoints(client, configuration.PARTNERS_TABLE),
    queue: createCallbackQueue(createSendMessage(client), configuration.CALLBACK_QUEUE_URL),
    post: createPostCallback({ allowsLoopback: configuration.ENVIRONMENT === 'local' }),
    secretOf: createSigningSecrets(createSecretsManagerClient(), configuration.CALLBACK_SECRET_ID),
    slowEndpoints: createSlowEndpoints(systemClock),
    present: presentCallback,
    clock: systemClock,
    report,
  };
}
