import { createCancellationLog } from '../../functions/adapters/dynamodb/cancellation-log.ts';
import { randomBytes } from 'node:crypto';
import { sealEvent } from '../../functions/core/cancellation/chain.ts';
import { commitTexts } from '../../functions/core/cancellation/commitment.ts';
import type { ClosedBody, RequestedBody } from '../../functions/core/cancellation/events.ts';
import type { StreamName } from '../../functions/core/cancellation/stream-key.ts';
import { type ExternalId, toTimestamp } from '../../functions/core/identifiers.ts';
import { environments } from '../blueprint/environments.ts';
import type { TableName } from '../blueprint/tables.ts';
import type { LocalDynamoDb } from './aws/dynamodb.ts';

const MINUTE_MS = 60_000;

/**
 * Writes a cancellation that was requested ten minutes ago, and that ended as `job_not_found` three minutes ago: Plangrep
 * has to answer 404 for minutes until it does.
 */
export async function writeUnknownJob(
  { client, tableNames }: Pick<LocalDynamoDb<TableName>, 'client' | 'tableNames'>,
  { externalId, ...name }: StreamName & { readonly externalId: ExternalId },
): Promise<void> {
  const log = createCancellationLog(client, tableNames.CancellationLog);
  const agoMs = (minutes: number): number => Date.now() - minutes * MINUTE_MS;
  const claim = { attempt: 1, claimedBy: 'seed', leaseUntil: toTimestamp(agoMs(9)) };
  const texts = commitTexts({ door: 'https', requestId: 'seed', externalId }, () => randomBytes(16).toString('hex'));
  const asked: RequestedBody = { type: 'requested', ...texts, ...claim };
  const ended: ClosedBody = { type: 'closed', outcome: 'job_not_found' };
  const requested = sealEvent(name, undefined, asked, {
    eventId: 'seed-1',
    at: toTimestamp(agoMs(10)),
    keptDays: environments.dev.retention.events,
  });
  await log.append(requested);
  await log.append(
    sealEvent(name, requested, ended, {
      eventId: 'seed-2',
      at: toTimestamp(agoMs(3)),
      keptDays: environments.dev.retention.events,
    }),
  );
}
