import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { genesisHash, sealEvent } from '../../../functions/core/cancellation/chain.ts';
import { commitTexts, commitTo } from '../../../functions/core/cancellation/commitment.ts';
import { acme, jobId, order7890 } from '../../support/names.ts';

const page = readFileSync('docs/audit-format.md', 'utf8');
const fenced = (kind: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text);

const salts = ['000102030405060708090a0b0c0d0e0f', 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'] as const;
const reason = 'Plan überholt';

describe('docs/audit-format.md', () => {
  test('has vectors that a stranger recomputes with a shell', () => {
    expect(execFileSync('sh', ['-e', '-c', fenced('sh').join('\n')], { encoding: 'utf8' })).toBe(
      fenced('text').join(''),
    );
  });

  test('has the commitments and hashes that the service writes', () => {
    const name = { partnerId: acme, jobId: jobId('job_1') };
    const left = [...salts];
    const asked = commitTexts(
      { door: 'https', requestId: 'r-1', externalId: order7890, reason },
      () => left.shift() ?? '',
    );
    const claim = { attempt: 1, claimedBy: 'c-1', leaseUntil: '2026-11-26T12:00:45.000Z' };
    const place = { eventId: 'e-1', at: '2026-11-26T12:00:00.000Z', keptDays: 400 };
    const { hash } = sealEvent(name, undefined, { type: 'requested', ...asked, ...claim }, place);

    expect(fenced('text').join('').split('\n').filter(Boolean)).toEqual([
      commitTo('externalId', salts[0], order7890),
      commitTo('reason', salts[1], reason),
      genesisHash(name),
      hash,
    ]);
  });
});

describe('a commitment', () => {
  test('is to one field, one salt and one text, however these are divided', () => {
    const all = [
      commitTo('externalId', salts[0], 'ab'),
      commitTo('reason', salts[0], 'ab'),
      commitTo('externalId', salts[1], 'ab'),
      commitTo('externalId', salts[0], 'a'),
      commitTo('externalId', `${salts[0]}61`, 'b'),
      commitTo('externalId', salts[0], ''),
    ];

    expect(new Set(all).size).toBe(all.length);
  });

  test('of a request has a new salt for each text', () => {
    const left = [...salts];
    const asked = commitTexts({ externalId: order7890, reason: order7890 }, () => left.shift() ?? '');

    expect([asked.externalIdSalt, asked.reasonSalt]).toEqual(salts);
    expect(asked.externalIdCommitment).not.toBe(asked.reasonCommitment);
    expect(commitTexts({ externalId: order7890 }, () => salts[0])).not.toHaveProperty('reasonCommitment');
  });
});
