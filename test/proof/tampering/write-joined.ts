import { createCancellationLog } from '../../../functions/adapters/dynamodb/cancellation-log.ts';
import { commitTexts } from '../../../functions/core/cancellation/commitment.ts';
import type { StreamName } from '../../../functions/core/cancellation/stream-key.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { daysAfter } from '../../../functions/core/retention.ts';
import { externalId, retention } from '../../support/names.ts';
import type { Stage } from './stage.ts';

/** The service itself writes on: a request that joins a stream. */
export async function writeJoined(stage: Stage, name: StreamName): Promise<void> {
  const log = createCancellationLog(stage.tables.client, stage.logTable, () => stage.nowMs);
  const at = toTimestamp(stage.nowMs);
  const texts = { door: 'https', requestId: 'r-later', externalId: externalId('order-later') } as const;
  const asked = commitTexts(texts, () => 'f'.repeat(32));
  await log.recordJoined({ type: 'joined', ...name, at, deleteAfter: daysAfter(at, retention.events), ...asked });
}
