import { composeAnnouncing } from './compose/compose-outgoing.ts';
import { announceRecords } from './doors/stream/announce-records.ts';

/** Follows the cancellation log's stream. */
export const handler = announceRecords(composeAnnouncing());
