/**
 * Events on the EventBridge bus, defined once for the stack and the local run: those that partners send in, and the one
 * that goes out. (The events of a cancellation, in the cancellation log, are in `functions/core/cancellation/events.ts`.)
 */

/** In: EventBridge rule → SQS queue → function. A partner's rule is bound to the partner's own event source. */
export const eventDoor = {
  function: 'consume-events',
  detailTypes: ['Job Cancellation Requested', 'Job Registered'],
  batchSize: 10,
  /** Longer than the function may run, so that SQS hands out no message that is being worked on. */
  visibilityTimeoutSeconds: 60,
  /** The first try and five repeats, one a minute: a cancel that arrives before its registration has 5 minutes. */
  maxReceives: 6,
} as const;

/**
 * The rule's input transformer: what the rule passes on of an event, and beside it the partner that the rule is for.
 * The quotes around a path's value come with the value.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
export const inputTransformer = (partnerId: string) => ({
  paths: { id: '$.id', time: '$.time', detailType: '$.detail-type', detail: '$.detail' },
  template: `{"partnerId":"${partnerId}","id":<id>,"time":<time>,"detailType":<detailType>,"detail":<detail>}`,
});

/** The source of a partner's events, unless the environment names another. */
export const eventSourceOf = (partnerId: string): string => `partner.${partnerId}`;

/** A field of the closing event as the table's stream shows it: `S` a string, `N` a number, which DynamoDB writes as text. */
const field = (name: string, type: 'S' | 'N'): string => `<$.dynamodb.NewImage.${name}.${type}>`;

/** The `detail` of a `Job Cancellation Closed`: every field comes from the closing event in the log. */
const detail: Readonly<Record<string, string>> = {
  partnerId: field('partnerId', 'S'),
  jobId: field('jobId', 'S'),
  outcome: field('outcome', 'S'),
  jobStatus: field('jobStatus', 'S'),
  pageCount: field('pageCount', 'N'),
  successfulPageCount: field('successfulPageCount', 'N'),
  creditsDebited: field('creditsDebited', 'N'),
  closedAt: field('at', 'S'),
  /** The closing event's id, the same on every repeat: a listener recognizes a repeat by it. */
  eventId: field('eventId', 'S'),
};

/**
 * Out: a pipe makes this event from the table's stream. Every value is text, counts too, since the stream writes numbers
 * as text and a pipe does not convert them. A value that Plangrep did not give is empty or absent.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
 */
export const closedEvent = {
  detailType: 'Job Cancellation Closed',
  source: 'plangrep-cancellation',
  pattern: { eventName: ['INSERT'], dynamodb: { NewImage: { type: { S: ['closed'] } } } },
  template: JSON.stringify(detail),
} as const;

/** Each dead-letter queue and what it keeps. An alarm watches that it is empty. */
export const deadLetterQueues = {
  EventsGivenUp: 'events that consume-events gave up',
  EventsUndelivered: 'events that EventBridge could not put into the events queue',
  ClosedEventsUndelivered: 'closed cancellations that the bus did not take',
  MissedRuns: 'runs of the reconciler that did not start, or failed',
} as const;

export type DeadLetterQueueName = keyof typeof deadLetterQueues;
