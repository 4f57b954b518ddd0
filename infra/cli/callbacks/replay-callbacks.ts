import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Subject } from '../../../functions/core/callbacks/callback-message.ts';
import type { PartnerId } from '../../../functions/core/identifiers.ts';
import { CannotDo, readTime } from '../command.ts';
import { opsCommand, type OpsRequest, partnerOption, readJobId, readPartner } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { count } from '../terminal.ts';
import { describeTest } from './describe-test.ts';
import { findKept, findOfJob, findRetried, findSince, replayEach, sendMessage } from './kept-callbacks.ts';
import { changeEndpoint, readEndpoint } from '../partners/stored-endpoint.ts';

/** Longer than a call to an endpoint takes, and the way there and back. */
const TEST_WITHIN_MS = 30_000;
/** After so long the index has what was kept before the end of a pause. What is kept later, its run tells by itself. */
const INDEX_LAG_MS = 2_000;

export const resumeCallback = opsCommand({
  name: 'callback resume',
  summary: "Ends the pause of a partner's callbacks, and delivers what was kept.",
  options: { partner: partnerOption },
  async run(request) {
    const { place, values } = request;
    const partnerId = readPartner(values.partner);
    const endpoint = await readEndpoint(place, partnerId);
    await changeEndpoint(place, partnerId, endpoint, { set: {}, remove: ['pausedAt', 'pausedWhy'] });
    await sleep(INDEX_LAG_MS);
    return replay(request, partnerId, await findUndelivered(place, partnerId), false);
  },
});

export const replayCallback = opsCommand({
  name: 'callback replay',
  summary: 'Delivers callbacks now: what is not delivered yet, or all of a job again, or all since a time again.',
  notes: `Without --job and --since it delivers what is kept, which is what was paused and what failed to the end, and what waits for its
next attempt. With them it delivers again what was delivered too, under the same webhook-id. --since reads the whole log.`,
  options: {
    partner: partnerOption,
    job: { hint: 'JOBID', what: "Plangrep's id of the job" },
    since: { hint: 'TIME', what: 'such as 2026-11-26T03:00Z' },
  },
  async run(request) {
    const { place, terminal, values } = request;
    const partnerId = readPartner(values.partner);
    if (values.job !== undefined && values.since !== undefined)
      throw new CannotDo(2, 'Use --job or --since, not both.');
    const { pausedWhy } = await readEndpoint(place, partnerId);
    if (pausedWhy !== undefined) {
      throw new CannotDo(
        1,
        `The callbacks of ${partnerId} (${place.environment}) are paused: "callback resume" delivers what is kept.`,
      );
    }
    if (values.job !== undefined) {
      const jobId = readJobId('--job', values.job);
      const found = await findOfJob(place, partnerId, jobId);
      if (found.length > 0) return replay(request, partnerId, found, true);
      const why = `no cancellation of it has ended or was escalated for ${partnerId} (${place.environment})`;
      throw new CannotDo(1, `There is nothing to tell of ${jobId}: ${why}.`);
    }
    if (values.since === undefined) return replay(request, partnerId, await findUndelivered(place, partnerId), false);
    const since = readTime('--since', values.since);
    return replay(request, partnerId, await findSince(place, partnerId, since, terminal.progress), true);
  },
});

async function findUndelivered(place: Place, partnerId: PartnerId): Promise<readonly Subject[]> {
  return [...(await findKept(place, partnerId)), ...(await findRetried(place, partnerId))];
}

async function replay(
  { place, terminal }: Pick<OpsRequest, 'place' | 'terminal'>,
  partnerId: PartnerId,
  subjects: readonly Subject[],
  all: boolean,
): Promise<0> {
  const id = randomUUID();
  await replayEach(place, subjects, { id, all }, terminal.progress);
  const which = subjects.length === 0 ? 'Nothing is left to deliver' : `${count(subjects.length)} to deliver`;
  terminal.show({ partnerId, replayId: id, subjects: subjects.length }, [
    `${which} for ${partnerId} (${place.environment}).${subjects.length === 0 ? '' : ' "callback show" tells what is not delivered yet.'}`,
  ]);
  return 0;
}

export const testCallback = opsCommand({
  name: 'callback test',
  summary: "Posts a test callback to a partner's endpoint, and shows how it answered.",
  notes: 'The service itself posts it, from where it posts the others, and also while callbacks are paused.',
  options: { partner: partnerOption },
  async run({ place, terminal, values }) {
    const partnerId = readPartner(values.partner);
    const { url } = await readEndpoint(place, partnerId);
    const id = `test-${randomUUID()}`;
    await sendMessage(place, { partnerId, test: id });
    const { progress } = terminal;
    const untilMs = Date.now() + TEST_WITHIN_MS;
    while (Date.now() < untilMs) {
      const { test } = await readEndpoint(place, partnerId);
      if (test?.id === id) {
        progress.clear();
        terminal.show({ partnerId, url, ...test }, [
          `${url} (${partnerId}, ${place.environment}): ${describeTest(test)}.`,
        ]);
        return test.isDelivered ? 0 : 1;
      }
      progress.show('waiting for the result …');
      await sleep(250);
    }
    progress.clear();
    throw new CannotDo(
      1,
      `No result within ${TEST_WITHIN_MS / 1_000} s: is deliver-callbacks running? Its lines: "npm run ops -- logs".`,
    );
  },
});
