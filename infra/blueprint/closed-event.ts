/** A field of the closing event as the log's stream shows it: `S` a string, `N` a number, which DynamoDB writes as text. */
const field = (name: string, type: 'S' | 'N'): string => `<$.dynamodb.NewImage.${name}.${type}>`;

/** What the detail of a `Job Cancellation Closed` holds, each from the closing event: nothing that the log has not. */
const detail: Readonly<Record<string, string>> = {
  partnerId: field('partnerId', 'S'),
  jobId: field('jobId', 'S'),
  outcome: field('outcome', 'S'),
  jobStatus: field('jobStatus', 'S'),
  pageCount: field('pageCount', 'N'),
  successfulPageCount: field('successfulPageCount', 'N'),
  creditsDebited: field('creditsDebited', 'N'),
  closedAt: field('at', 'S'),
  /** The closing event's own, the same on every repeat: to know one that was heard of before. */
  eventId: field('eventId', 'S'),
};

/**
 * The outbound event: what of the log's stream it is made of, and how. Every value arrives as text, counts too, since a
 * stream has numbers as text and a pipe makes none of it; what Plangrep did not say arrives empty or not at all.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
 */
export const closedEvent = {
  detailType: 'Job Cancellation Closed',
  source: 'plangrep-cancellation',
  pattern: { eventName: ['INSERT'], dynamodb: { NewImage: { type: { S: ['closed'] } } } },
  template: JSON.stringify(detail),
} as const;
