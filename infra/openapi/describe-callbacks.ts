import {
  callbackBodySchema,
  callbackTestSchema,
  type CallbackType,
  cancellationClosedSchema,
  cancellationEscalatedSchema,
  cancellationRefusedSchema,
  refusedRequestSchema,
  testedCallbackSchema,
} from '../../functions/contract/callbacks.ts';
import { refusalFields } from './describe-answers.ts';
import { type Component, message, union } from './describe-message.ts';
import type { Parameter, Webhook } from './document.ts';
import { callbackExamples } from './example-callbacks.ts';

const type = 'What happened.';
const timestamp = 'When it happened. The same on every repeat; `webhook-timestamp` is the time of this attempt.';

/** The bodies of callbacks, with a text for each field. */
export const callbackBodies: Readonly<Record<string, Component>> = {
  Callback: union(
    callbackBodySchema,
    'type',
    'The body of a callback: `type` says what happened. More types may be added: answer those that you do not know with 204, and ignore them. Fields may be added.',
    true,
  ),
  CancellationClosed: message(cancellationClosedSchema, 'A cancellation was closed.', {
    type,
    timestamp,
    data: 'The cancellation as it was closed.',
  }),
  CancellationEscalated: message(cancellationEscalatedSchema, 'The operators were alerted about a cancellation.', {
    type,
    timestamp,
    data: 'The cancellation at that time.',
  }),
  CancellationRefused: message(cancellationRefusedSchema, 'A request reached no job.', {
    type,
    timestamp,
    data: 'The request.',
  }),
  CallbackTest: message(callbackTestSchema, 'An operator tests your address.', {
    type,
    timestamp,
    data: 'The test.',
  }),
  RefusedRequest: message(
    refusedRequestSchema,
    'A request of yours that reached no job: nothing was done.',
    { ...refusalFields, externalId: 'The externalId that it asked for.' },
    ['why', 'door'],
  ),
  TestedCallback: message(testedCallbackSchema, 'A test of your address.', {
    testId: 'Which test. The operators see the same id beside its result.',
  }),
};

const headers: readonly Parameter[] = [
  {
    name: 'webhook-id',
    in: 'header',
    required: true,
    description:
      'Which callback this is: the same on every repeat and replay. Ignore a callback whose id you have processed.',
    schema: { type: 'string' },
    example: '0f1e6f52-6d0a-4c57-9a3e-2f3b8f4c9d11',
  },
  {
    name: 'webhook-timestamp',
    in: 'header',
    required: true,
    description: 'When this attempt was made: seconds since 1970. Reject a callback that is more than 5 minutes off.',
    schema: { type: 'string', pattern: '^[0-9]+$' },
    example: '1793611330',
  },
  {
    name: 'webhook-signature',
    in: 'header',
    required: true,
    description:
      'Signatures with a space between them: one for each of your secrets that is valid, two during a rotation. Each is `v1,` and the Base64 of the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`. The key is the Base64 after `whsec_` in your secret. Accept the callback if one of them is right; compare in constant time, over the bytes of the body as they came.',
    schema: { type: 'string', pattern: '^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$' },
    example: 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
  },
];

const repeats =
  'Answer with any 2xx status within 10 seconds, and process the callback afterwards. After any other answer, or none, the service repeats the callback: after 5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours. Then it keeps the callback until an operator replays it.';

function describeCallback(operationId: string, body: string, summary: string, happened: string): Webhook {
  return {
    operationId,
    tags: ['callbacks'],
    summary,
    description: `${happened}\n\n${repeats}`,
    security: [],
    parameters: headers,
    requestBody: {
      required: true,
      description: 'Signed: verify it before you read it.',
      content: {
        'application/json': {
          schema: { $ref: `#/components/schemas/${body}` },
          examples: callbackExamples[body] ?? {},
        },
      },
    },
    responses: {
      '2XX': { description: 'You have the callback.' },
      410: { description: 'You do not want callbacks any more: the service pauses them, and keeps what they say.' },
      429: { description: 'Too many: `Retry-After` counts if it is longer than the pause above, up to 24 hours.' },
      default: { description: 'The service repeats the callback.' },
    },
  };
}

/** What the service sends to the address that the operators keep for a partner. */
export const webhooks: Readonly<Record<CallbackType, Readonly<Record<'post', Webhook>>>> = {
  'cancellation.closed': {
    post: describeCallback(
      'onCancellationClosed',
      'CancellationClosed',
      'A cancellation was closed',
      'Sent once for each cancellation that ends, whatever the outcome is.',
    ),
  },
  'cancellation.escalated': {
    post: describeCallback(
      'onCancellationEscalated',
      'CancellationEscalated',
      'A cancellation has been open for long',
      'Sent when the operators are alerted. You need not act: the service goes on, and `cancellation.closed` follows.',
    ),
  },
  'cancellation.refused': {
    post: describeCallback(
      'onCancellationRefused',
      'CancellationRefused',
      'A request reached no job',
      'Sent for each request that was refused for good, over HTTPS or as an event: nothing was done.',
    ),
  },
  'callback.test': {
    post: describeCallback(
      'onCallbackTest',
      'CallbackTest',
      'An operator tests your address',
      'Sent when an operator asks for it. Verify it like any other.',
    ),
  },
};
