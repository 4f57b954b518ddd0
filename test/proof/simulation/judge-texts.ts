import { createHash } from 'node:crypto';
import type { CancellationEvent } from '../../../functions/core/cancellation/events.ts';

/** What no hash covers: the hash itself, and what can be erased. */
export const notHashed: ReadonlySet<string> = new Set(['hash', 'externalId', 'externalIdSalt', 'reason', 'reasonSalt']);

/** A commitment by the words of docs/audit-format.md, not by the core: it is a part of what is judged. */
function commitmentOf(field: string, salt: string, text: string): string {
  const hash = createHash('sha256');
  for (const part of [
    Buffer.from('plangrep-cancellation/commitment/1'),
    Buffer.from(field),
    Buffer.from(salt, 'hex'),
    Buffer.from(text),
  ]) {
    hash.update(Buffer.from([0, 0, part.length >> 8, part.length % 256])).update(part);
  }
  return hash.digest('hex');
}

/** Judges the texts of a request on record: without them, and with them erased, the chain must say the same. */
export class TextJudge {
  private readonly salts = new Set<string>();

  /** @returns what is wrong with the texts of a new event */
  judge(event: CancellationEvent): readonly string[] {
    if (event.type !== 'requested') return [];
    const { externalId, externalIdSalt, externalIdCommitment, reason, reasonSalt, reasonCommitment } = event;
    return [
      ...this.judgeText('externalId', externalId, externalIdSalt, externalIdCommitment),
      ...(reason === undefined ? [] : this.judgeText('reason', reason, reasonSalt, reasonCommitment)),
    ];
  }

  private judgeText(field: string, text = '', salt = '', commitment = ''): readonly string[] {
    const isNew = !this.salts.has(salt);
    this.salts.add(salt);
    const wrong = commitment === commitmentOf(field, salt, text) ? [] : [`${field}: another commitment`];
    return isNew && /^[0-9a-f]{32}$/.test(salt) ? wrong : [...wrong, `${field}: a salt that is not new`];
  }
}
