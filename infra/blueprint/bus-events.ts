import { announcedTypes, announcementSource } from '../../functions/core/announcements.ts';

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

/** Out: what `announce-cancellations` makes of a closing event. */
export const closedEvent = {
  detailType: announcedTypes.closed,
  source: announcementSource,
} as const;

/** Out: a cancel that came as an event and was refused for good. A caller over HTTPS has its answer. */
export const refusedEvent = {
  detailType: announcedTypes.refused,
  source: announcementSource,
} as const;

export const outgoingEvents = { Closed: closedEvent, Refused: refusedEvent } as const;

/** Each dead-letter queue and what it keeps. An alarm watches that it is empty. */
export const deadLetterQueues = {
  EventsGivenUp: 'events that consume-events gave up',
  EventsUndelivered: 'events that EventBridge could not put into the events queue',
  OutgoingEventsUndelivered:
    "closed, escalated and refused cancellations that the bus or the callbacks' queue did not take",
  CallbacksGivenUp: 'messages about callbacks that deliver-callbacks gave up',
  RecordsNotArchived: "records of the log's stream that archive-records gave up",
  MissedRuns:
    'runs of the reconciler and of deliver-callbacks that did not start, or failed, and of the sealer that did not start',
} as const;

export type DeadLetterQueueName = keyof typeof deadLetterQueues;
