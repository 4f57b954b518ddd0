import { userInfo } from 'node:os';
import { CancellationClient } from '../../../client/src/index.ts';
import { type PartnerId, toTimestamp } from '../../../functions/core/identifiers.ts';
import { makePartnerKey, markRevoked } from '../partners/partner-keys.ts';
import { requirePartner } from '../partners/read-partners.ts';
import type { Place } from '../places/place.ts';
import type { ManyJournal } from './many-journal.ts';

/** A run that is killed cannot revoke its credential: the next start does, and nothing later than this. */
const LIFE_MS = 6 * 3_600_000;

export interface ActingFor {
  readonly place: Place;
  readonly partnerId: PartnerId;
  readonly url: URL;
  readonly journal: Pick<ManyJournal, 'append' | 'notReturned'>;
}

/**
 * Acts as a partner over HTTPS, with a credential of that partner that is made for this and revoked at the end: every request is
 * the partner's own, within its plan, and has the credential's keyId on record. @throws CannotDo (1) without such a partner
 */
export async function actForPartner<Result>(
  { place, partnerId, url, journal }: ActingFor,
  act: (client: CancellationClient) => Promise<Result>,
): Promise<Result> {
  await requirePartner(place, partnerId);
  const giveBack = async (keyId: string): Promise<void> => {
    await markRevoked(place, keyId, toTimestamp(Date.now()));
    journal.append({ kind: 'returned', keyId });
  };
  for (const keyId of journal.notReturned) await giveBack(keyId);
  const now = Date.now();
  const { credential, keyId } = await makePartnerKey(place, {
    partnerId,
    scopes: new Set(['cancellations:write', 'cancellations:read']),
    createdAt: toTimestamp(now),
    expiresAt: toTimestamp(now + LIFE_MS),
    issuedFor: `ops cancel, by ${userInfo().username}`,
  });
  journal.append({ kind: 'borrowed', keyId });
  try {
    return await act(new CancellationClient({ baseUrl: url.href.replace(/\/$/, ''), credential }));
  } finally {
    await giveBack(keyId);
  }
}
