import { createCancellationLog } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import { sealEvent } from '../../functions/core/cancellation/chain.ts';
import type { CancellationEvent, EventBody } from '../../functions/core/cancellation/events.ts';
import { toTimestamp } from '../../functions/core/identifiers.ts';
import type { JobNames, Service } from './given-service.ts';
import { acme, externalId as externalIdOf, jobId as jobIdOf, retention } from './names.ts';
import { committed } from './committed.ts';

/** An event, and how many minutes ago it was written. */
type Past = readonly [minutesAgo: number, body: EventBody];

/**
 * Writes a cancellation of acme's that began some minutes ago and is still open. Its wake-up is due.
 * @param later what happened after the request
 */
export async function writeOldCancellation(
  { run }: Service,
  names: JobNames,
  beganMinutesAgo: number,
  later: readonly Past[],
): Promise<void> {
  const { client, tableNames } = run.dynamodb;
  const log = createCancellationLog(client, tableNames.CancellationLog);
  const name = { partnerId: acme, jobId: jobIdOf(names.jobId) };
  const ago = (minutes: number) => toTimestamp(Date.now() - minutes * 60_000);
  const claim = { attempt: 1, claimedBy: 'a', leaseUntil: ago(beganMinutesAgo - 0.75) };
  const externalId = externalIdOf(names.externalId);
  const texts = committed({ door: 'https', requestId: `r-${names.jobId}`, externalId } as const);
  const asked = { type: 'requested', ...texts, ...claim } as const;
  let last: CancellationEvent | undefined;
  for (const [n, [minutesAgo, body]] of [[beganMinutesAgo, asked] as const, ...later].entries()) {
    last = sealEvent(name, last, body, {
      eventId: `${names.jobId}-${n}`,
      at: ago(minutesAgo),
      keptDays: retention.events,
    });
    await log.append(last, n === later.length ? ago(0.2) : undefined);
  }
}
