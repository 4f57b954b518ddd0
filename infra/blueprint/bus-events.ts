/**
 * Events on the EventBridge bus, defined once for the stack and the local run: those that partners send in, and those
 * that go out. (The events of a cancellation, in the cancellation log, are in `functions/core/cancellation/events.ts`.)
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

/** A field of the log's record as the table's stream shows it: `S` a string, `N` a number, which DynamoDB writes as text. */
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
  /** Of the request that began the cancellation. */
  requestId: field('begunBy', 'S'),
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

/**
 * Out: another pipe makes this event of a cancel that came as an event and was refused for good. A caller over HTTPS has
 * its answer. It has nothing that the partner wrote but the jobId, if it asked for one.
 */
export const refusedEvent = {
  detailType: 'Job Cancellation Refused',
  source: closedEvent.source,
  pattern: { eventName: ['INSERT'], dynamodb: { NewImage: { type: { S: ['refused'] }, door: { S: ['events'] } } } },
  template: JSON.stringify({
    partnerId: field('partnerId', 'S'),
    /** The `id` of the partner's event. */
    requestId: field('requestId', 'S'),
    why: field('why', 'S'),
    jobId: field('jobId', 'S'),
    refusedAt: field('at', 'S'),
    /** The stream record's id, the same on every repeat. */
    eventId: '<$.eventID>',
  }),
} as const;

/**
 * What goes out. A pipe has one detail type, unless a path leads to it in the record, and no record has it; so each event
 * has its pipe. More than two would have to share: a stream serves two readers at once.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
 */
export const outgoingEvents = { Closed: closedEvent, Refused: refusedEvent } as const;

/** Each dead-letter queue and what it keeps. An alarm watches that it is empty. */
export const deadLetterQueues = {
  EventsGivenUp: 'events that consume-events gave up',
  EventsUndelivered: 'events that EventBridge could not put into the events queue',
  OutgoingEventsUndelivered: 'closed and refused cancellations that the bus did not take',
  MissedRuns: 'runs of the reconciler that did not start, or failed',
} as const;

export type DeadLetterQueueName = keyof typeof deadLetterQueues;
