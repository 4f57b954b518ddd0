/** What happened, counted. */
export type Figures = {
  cancelCalls: number;
  reads: number;
  requested: number;
  closed: number;
  escalated: number;
  takenOver: number;
  fenced: number;
  died: number;
  unverified: number;
  ownershipRefused: number;
  /** Cancellations that began anew after an end as `job_not_found`, and ends as that. */
  reopened: number;
  notFound: number;
  /** Of the wake-up queue. */
  messages: number;
  delivered: number;
  lostByQueue: number;
  /** Callers that returned when `Retry-After` said, and those of them that found more than they knew. */
  followed: number;
  foundMore: number;
  /** The same where calls fail or the queue does not deliver. */
  followedInTrouble: number;
  foundMoreInTrouble: number;
};

export const noFigures: Figures = {
  cancelCalls: 0,
  reads: 0,
  requested: 0,
  closed: 0,
  escalated: 0,
  takenOver: 0,
  fenced: 0,
  died: 0,
  unverified: 0,
  ownershipRefused: 0,
  reopened: 0,
  notFound: 0,
  messages: 0,
  delivered: 0,
  lostByQueue: 0,
  followed: 0,
  foundMore: 0,
  followedInTrouble: 0,
  foundMoreInTrouble: 0,
};
