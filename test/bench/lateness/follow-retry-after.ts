import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import type { LocalRun } from '../../../infra/local/run.ts';
import { callAs } from '../../support/local-run.ts';

/** How often a caller looked, and how often it found more than it knew. */
export interface Looks {
  readonly made: number;
  readonly withNews: number;
}

const MOST_LOOKS = 8;
const viewSchema = z.object({
  state: z.string(),
  attempts: z.number(),
  jobStatus: z.nullable(z.string()),
  nextLookAt: z.nullable(z.string()),
  timeline: z.optional(z.array(z.unknown())),
});
type View = z.infer<typeof viewSchema>;
type Answer = Awaited<ReturnType<typeof callAs>>;

/** Reads a cancellation again exactly when each answer says, until it is closed. @param answer the first one */
export async function followRetryAfter(run: LocalRun, jobId: string, answer: Answer): Promise<Looks> {
  let looks: Looks = { made: 0, withNews: 0 };
  let newest = answer;
  while (isOpen(newest) && looks.made < MOST_LOOKS) {
    const known = viewSchema.parse(newest.body);
    await sleep(Number(newest.headers.get('retry-after')) * 1000);
    newest = await callAs(run, 'acme', `GET /v1/cancellations/${jobId}`);
    if (newest.status !== 200) throw new Error(`a read was answered ${newest.status}: ${newest.text}`);
    const hasNews = isNews(known, viewSchema.parse(newest.body));
    looks = { made: looks.made + 1, withNews: looks.withNews + (hasNews ? 1 : 0) };
  }
  return looks;
}

/** @throws Error for an open cancellation that does not say when to look again */
function isOpen({ body, headers }: Answer): boolean {
  if (body['state'] !== 'open') return false;
  if (/^[1-9]\d*$/.test(headers.get('retry-after') ?? '')) return true;
  throw new Error('an open cancellation without Retry-After');
}

function isNews(known: View, found: View): boolean {
  const isLonger = known.timeline !== undefined && (found.timeline?.length ?? 0) > known.timeline.length;
  const isLater = (found.nextLookAt ?? '') > (known.nextLookAt ?? '');
  return found.state === 'closed' || isLonger || isLater || found.attempts > known.attempts;
}
