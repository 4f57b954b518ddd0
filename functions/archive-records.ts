import { composeArchiving } from './compose/compose-archive.ts';
import { archiveRecords } from './doors/stream/archive-records.ts';

/** Follows the cancellation log's stream. */
export const handler = archiveRecords(composeArchiving());
