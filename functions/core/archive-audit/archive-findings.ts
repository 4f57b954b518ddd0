import type { Forgery } from '../archive/judge-change.ts';

/**
 * What is wrong with the archive, or with the table beside it: stable codes. What is wrong inside a chain of events has the
 * codes of `audit/findings.ts`.
 *
 * Of digests:
 * - `digest_missing`: a number has no digest.
 * - `digest_unreadable`: it is not a digest's file, or contradicts itself.
 * - `digest_misplaced`: its name is not the one that its number and its time give, or its number is there twice.
 * - `digest_replaced`: it is not the one that the next digest is chained to, or one that was kept elsewhere is not there.
 * - `unknown_key`: none of the given public keys is the one that it names.
 * - `bad_signature`: it was not signed with the key that it names.
 * - `key_retired`: it was signed with a key that another one had replaced.
 * - `dated_ahead`: it ends later than now, so nothing is sealed until then.
 * - `stretch_gap`: it does not begin where the digest before it ends, or ends before it begins.
 * - `overdue`: no newer digest came in time.
 * - `other_archive`: it belongs to another environment or bucket than the digest before.
 * - `key_replaced`: a file of `keys/` is not the key that its name says.
 *
 * Of objects:
 * - `object_missing`, `object_altered`: it is not there, or not as the digest names it.
 * - `object_inserted`: no digest names it, and one should.
 *
 * Of lines:
 * - `line_unreadable`: it is not a line of the archive.
 * - `contradicted`: another line tells the same change of the record in another way.
 * - `unwritten`: it changes a record that no line before it has written.
 * - `foreign`, `rewritten`, `removed`, `silenced`: a change of the table that this service never makes.
 *
 * Of the table beside the archive:
 * - `inserted`: the table has a record that the archive should have and has not.
 * - `deleted`, `cut_off`: the archive has a record that the table has lost; or the newest events of a stream.
 * - `differs`: the record is not the archived one.
 */
export type ArchiveFindingCode =
  | 'digest_missing'
  | 'digest_unreadable'
  | 'digest_misplaced'
  | 'digest_replaced'
  | 'unknown_key'
  | 'bad_signature'
  | 'key_retired'
  | 'dated_ahead'
  | 'stretch_gap'
  | 'overdue'
  | 'other_archive'
  | 'key_replaced'
  | 'object_missing'
  | 'object_altered'
  | 'object_inserted'
  | 'line_unreadable'
  | 'contradicted'
  | 'unwritten'
  | Forgery
  | 'inserted'
  | 'deleted'
  | 'cut_off'
  | 'differs';

export interface ArchiveFinding {
  readonly code: ArchiveFindingCode;
  /** The name of the digest or object in the archive. */
  readonly object?: string;
  /** The line in the object: 1, 2, 3 …. */
  readonly line?: number;
  /** The partition key of the record. */
  readonly stream?: string;
  /** The sort key of the record. */
  readonly record?: string;
  /** One sentence for an auditor. It names keys, never what a partner wrote. */
  readonly what: string;
}
