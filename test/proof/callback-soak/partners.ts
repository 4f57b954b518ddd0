import { type PartnerId, partnerIdSchema } from '../../../functions/core/identifiers.ts';
import type { Mood } from './endpoints.ts';

const HOUR = 3_600_000;

/** A partner of the soak: what becomes of its endpoint, in virtual time since the first callback. */
export interface SoakPartner {
  readonly partnerId: PartnerId;
  /** Of all callbacks, in percent. */
  readonly share: number;
  readonly moodAt: (elapsedMs: number) => Mood;
  /** An operator pauses its callbacks, and resumes them. */
  readonly pausedMs?: readonly [from: number, to: number];
  /** Its secret is replaced then; for a day both sign. */
  readonly rotatedMs?: number;
}

const named = (text: string): PartnerId => partnerIdSchema.parse(text);
const during = (mood: Mood, fromMs: number, toMs: number) => (elapsedMs: number) =>
  elapsedMs >= fromMs && elapsedMs < toMs ? mood : 'up';

/** The callbacks arrive within the first hours; the dead endpoint comes back when all its attempts are used up. */
export const soakPartners: readonly SoakPartner[] = [
  { partnerId: named('steady'), share: 55, moodAt: () => 'up', rotatedMs: 0.5 * HOUR },
  { partnerId: named('flaps'), share: 15, moodAt: () => 'flapping' },
  { partnerId: named('limits'), share: 10, moodAt: during('limited', 0.3 * HOUR, 3 * HOUR) },
  { partnerId: named('leaves'), share: 10, moodAt: during('gone', 0.4 * HOUR, 6 * HOUR) },
  { partnerId: named('pauses'), share: 6, moodAt: () => 'up', pausedMs: [0.2 * HOUR, 8 * HOUR] },
  { partnerId: named('dies'), share: 4, moodAt: during('down', 0.2 * HOUR, 130 * HOUR) },
];
