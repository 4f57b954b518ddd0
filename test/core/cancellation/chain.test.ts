import { describe, expect, test } from 'vitest';
import { genesisHash, hashEvent, sealEvent } from '../../../functions/core/cancellation/chain.ts';
import { erasableAttributes } from '../../../functions/core/cancellation/commitment.ts';
import { acme, documentedJob, globex, retention } from '../../support/names.ts';
import { at, requested } from '../../support/stored-streams.ts';

describe('the chain', () => {
  const place = { eventId: 'e', at, keptDays: retention.events };
  const stream = { partnerId: acme, jobId: documentedJob };

  test('changes with every field of an event', () => {
    const event = sealEvent(stream, undefined, requested, place);
    const erasable: readonly string[] = erasableAttributes;
    for (const name of Object.keys(event).filter((key) => key !== 'hash' && !erasable.includes(key))) {
      expect(hashEvent({ ...event, [name]: 'other' }), name).not.toBe(event.hash);
    }
  });

  test('holds without the texts that can be erased, since it covers their commitments', () => {
    const event = sealEvent(stream, undefined, requested, place);
    const erased = Object.fromEntries(erasableAttributes.map((name) => [name, undefined]));

    expect(hashEvent({ ...event, ...erased })).toBe(event.hash);
    expect(hashEvent({ ...event, externalIdCommitment: '0'.repeat(64) })).not.toBe(event.hash);
  });

  test('does not depend on the order of fields, nor on fields that are undefined', () => {
    const event = sealEvent(stream, undefined, requested, place);

    expect(hashEvent(Object.fromEntries(Object.entries(event).toReversed()))).toBe(event.hash);
    expect(hashEvent({ ...event, keyId: undefined })).toBe(event.hash);
  });

  test('begins with the name of the stream, so no event fits into another one', () => {
    expect(genesisHash(stream)).not.toBe(genesisHash({ ...stream, partnerId: globex }));
  });
});
