import type { Message } from './queue-message.ts';

/**
 * In which order a standard queue hands out messages that have groups. The groups take turns, however many messages one has,
 * and each message of a group that is being worked on counts as a turn: what one group does slowly delays itself, and the
 * others go first. A message without a group is a group.
 * @param waiting in the order in which they came
 * @param inWork handed out, and not done yet
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export function inFairOrder(waiting: readonly Message[], inWork: Iterable<Message>): Message[] {
  const turns = new Map<string, number>();
  const takeTurn = ({ group, messageId }: Message): number => {
    const turn = turns.get(group ?? messageId) ?? 0;
    turns.set(group ?? messageId, turn + 1);
    return turn;
  };
  for (const message of inWork) takeTurn(message);
  return waiting
    .map((message) => ({ message, turn: takeTurn(message) }))
    .toSorted((a, b) => a.turn - b.turn)
    .map(({ message }) => message);
}

/**
 * Which messages a FIFO queue may hand out: of each group the oldest, unless the group has one that is being worked on, or that
 * failed and has not returned yet.
 * @param visible of the queue, oldest first
 * @param all of the queue, oldest first
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */
export function firstOfGroups(
  visible: readonly Message[],
  all: readonly Message[],
  inWork: ReadonlySet<Message>,
): Message[] {
  const groupOf = ({ group, messageId }: Message): string => group ?? messageId;
  const heads = new Map<string, Message>();
  for (const message of all) if (!heads.has(groupOf(message))) heads.set(groupOf(message), message);
  return visible.filter((message) => heads.get(groupOf(message)) === message && !inWork.has(message));
}
