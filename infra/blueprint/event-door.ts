/**
 * The events door, defined once for the stack and the local run: EventBridge rule → SQS → `consume-events`, and what a
 * rule hands on. A partner's rule is bound to the partner's own event source.
 */
export const eventDoor = {
  detailTypes: ['Job Cancellation Requested', 'Job Registered'],
  batchSize: 10,
  /** Longer than the function may run, so that no message is handed out while it is being worked on. */
  visibilityTimeoutSeconds: 60,
  /** The first try and five repeats, one a minute: a cancel that beats its registration has 5 minutes. */
  maxReceives: 6,
} as const;

/**
 * The rule's input transformer: what of an event goes on, and beside it the partner that the rule is for. The quotes
 * around a path's value come with it.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
export const inputTransformer = (partnerId: string) => ({
  paths: { id: '$.id', time: '$.time', detailType: '$.detail-type', detail: '$.detail' },
  template: `{"partnerId":"${partnerId}","id":<id>,"time":<time>,"detailType":<detailType>,"detail":<detail>}`,
});

/** The event source that a partner's events bear, unless its environment names another. */
export const eventSourceOf = (partnerId: string): string => `partner.${partnerId}`;

/** The reconciler's schedule. */
export const reconcileEveryMinutes = 1;
