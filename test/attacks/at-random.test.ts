import { describe, expect, test } from 'vitest';
import { sandboxProject } from '../../functions/simulator/sandbox-jobs.ts';
import { projects } from '../../infra/scenes/stories.ts';
import { Random } from '../proof/simulation/random.ts';
import { givenAttacks, type Seen, see } from '../support/given-attacks.ts';
import type { JobNames } from '../support/given-service.ts';

/**
 * acme sends the same random requests about an unknown job and about jobs of globex's, step by step: what it sees must never
 * differ, whatever was asked before.
 */
const attacks = givenAttacks();
const { service, victimJob, expectUnharmed } = attacks;
const seeds = [12, Math.floor(Math.random() * 2 ** 31)];
const STEPS = 60;

type Step = (names: JobNames) => Promise<Seen>;

function randomStep(random: Random): readonly [string, Step] {
  const path = '/v1/cancellations';
  const extra = random.pick<object>([{}, {}, { reason: 'wrong plan' }, { reason: 'other' }, { partnerId: 'globex' }]);
  const key = random.pick(['', 'a', 'b']);
  const headers = ({ jobId }: JobNames): Record<string, string> =>
    key === '' ? {} : { 'Idempotency-Key': `${key} ${jobId}` };
  const query = random.pick(['', '&limit=1', '&limit=0', '&cursor=AAAA', '&externalId=x']);
  const project = random.pick<object>([{}, { projectId: projects.globex }, { projectId: '../x' }]);
  const more = random.pick(['', '_', '-1']);
  const strange = random.pick(['', '?x=1']);
  const ask = (...call: Parameters<typeof service.run.call>) => see(service, ...call);
  return random.pick<readonly [string, Step]>([
    ['PUT', ({ jobId, externalId }) => ask('acme', `PUT /v1/jobs/${jobId}`, { externalId, ...project })],
    [
      'PUT under another name',
      ({ jobId, externalId }) => ask('acme', `PUT /v1/jobs/${jobId}`, { externalId: externalId + more, ...project }),
    ],
    ['POST', (names) => ask('acme', `POST ${path}`, { externalId: names.externalId, ...extra }, headers(names))],
    ['POST with jobId', (names) => ask('acme', `POST ${path}`, { ...names, ...extra }, headers(names))],
    ['POST of nearly this', ({ externalId }) => ask('acme', `POST ${path}`, { externalId: externalId + more }, {})],
    [
      'GET by externalId',
      ({ externalId }) => ask('acme', `GET ${path}?externalId=${encodeURIComponent(externalId)}${query}`),
    ],
    ['GET by jobId', ({ jobId }) => ask('acme', `GET ${path}/${jobId}${strange}`)],
  ]);
}

/** What is seen, with placeholders for the names and the times. */
function normalize({ status, headers, text }: Seen, { jobId, externalId }: JobNames): unknown {
  const shown = text
    .replaceAll(JSON.stringify(externalId).slice(1, -1), 'EXTERNAL_ID')
    .replaceAll(jobId, 'JOB_ID')
    .replaceAll(/"requestId":"[^"]+"/g, 'REQUEST_ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
  return [status, headers.filter(([name]) => name !== 'content-length'), shown];
}

describe.each(seeds)('with seed %i', (seed) => {
  test('random requests show no difference between an unknown job and another partner’s', async () => {
    const random = new Random(seed);
    const [unknown, unregistered, taken] = [service.newNames(), service.newNames(), service.newNames()];
    const add = ({ jobId, externalId }: JobNames, projectId: string) =>
      service.run.simulator.addJob({ id: jobId, externalId, projectId });
    add(unregistered, projects.globex);
    add(taken, sandboxProject);
    await service.register(taken.jobId, { externalId: taken.externalId }, 'globex');
    const victim = await victimJob();
    const others = { unregistered, taken, registered: victim };
    const history: string[] = [];

    for (let step = 0; step < STEPS; step += 1) {
      if (random.chance(0.1)) {
        service.run.simulator.faults.clear();
        const isDown = random.chance(0.5);
        if (isDown) service.plangrepFails({ on: 'read', kind: 'status', status: 503 });
        history.push(isDown ? 'Plangrep reads no job' : 'Plangrep is back');
      }
      const [what, ask] = randomStep(random);
      history.push(what);
      const expected = normalize(await ask(unknown), unknown);
      for (const [kind, names] of Object.entries(others)) {
        expect(normalize(await ask(names), names), [kind, ...history].join(' → ')).toEqual(expected);
      }
    }

    service.run.simulator.faults.clear();
    await expectUnharmed(victim);
  });
});
