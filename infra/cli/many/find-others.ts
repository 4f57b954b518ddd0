import { paginateScan } from '@aws-sdk/client-dynamodb';
import { fromItem, toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import type { PartnerId } from '../../../functions/core/identifiers.ts';
import type { Place } from '../places/place.ts';

/**
 * Which of these externalIds name jobs of other partners. No partner learns that: its answer is the same as for none. Reads
 * the whole directory. @returns undefined where the operator's role may not
 */
export async function findOthers(
  place: Place,
  partnerId: PartnerId,
  externalIds: ReadonlySet<string>,
): Promise<ReadonlySet<string> | undefined> {
  const found = new Set<string>();
  if (externalIds.size === 0) return found;
  const scan = {
    TableName: await place.table('JobDirectory'),
    FilterExpression: 'sk = :owner AND partnerId <> :partnerId',
    ProjectionExpression: 'externalId',
    ExpressionAttributeValues: toItem({ ':owner': 'owner', ':partnerId': partnerId }),
  };
  try {
    for await (const { Items = [] } of paginateScan({ client: place.dynamodb }, scan)) {
      const named = Items.map((item) => fromItem(item)['externalId']);
      for (const externalId of named) {
        if (typeof externalId === 'string' && externalIds.has(externalId)) found.add(externalId);
      }
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'AccessDeniedException') return undefined;
    throw error;
  }
  return found;
}
