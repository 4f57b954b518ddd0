import { setTimeout as sleep } from 'node:timers/promises';
import { firewallWindowSeconds } from '../../../blueprint/usage-plans.ts';
import { type Check, fault, holds } from '../check.ts';
import { expectProblem } from '../expect-answer.ts';
import type { Answer } from '../send-request.ts';
import type { AwsStage } from '../stage.ts';
import { madeUpToken } from './routes.ts';

/** Plans are kept on a best-effort basis, so one burst may pass whole. */
const BURSTS = 4;

/** So many requests at a time, and so many times what the firewall lets through: it counts some seconds late. */
const AT_ONCE = 40;
const MARGIN = 1.3;
const COUNTS_WITHIN_MS = 60_000;
const EVERY_MS = 5_000;

/** Of the firewall's own rate rule: the wait is its window. A throttle's is a second. */
const isOfFirewall = ({ status, headers }: Answer): boolean =>
  status === 429 && headers['retry-after'] === String(firewallWindowSeconds);

/** More than the firewall lets through for a credential, and less than for an address. @returns its first refusal */
async function flood({ send, environment, signal }: AwsStage): Promise<Answer | undefined> {
  const ask = () => send({ path: '/v1/cancellations?externalId=accept', token: madeUpToken, busy: 'refused' });
  const most = environment.firewall.perCredential * MARGIN;
  for (let sent = 0; sent < most; sent += AT_ONCE) {
    const refused = (await Promise.all(Array.from({ length: AT_ONCE }, ask))).find(isOfFirewall);
    if (refused !== undefined) return refused;
  }
  for (const until = performance.now() + COUNTS_WITHIN_MS; performance.now() < until; ) {
    const answer = await ask();
    if (isOfFirewall(answer)) return answer;
    await sleep(EVERY_MS, undefined, { signal });
  }
  return undefined;
}

/** What happens to a caller that sends too much. */
export const limitChecks: readonly Check[] = [
  {
    id: 'limits.plan',
    shows: "more than a partner's plan allows: 429 with Retry-After, while another partner is served",
    needs: 'operator credentials',
    changes: true,
    runs: 'alone',
    lookAt: 'infra/blueprint/environments.ts (plans), npm run ops -- partner show',
    async run({ send, partners }) {
      const { credential: token, plan } = await partners.small();
      const { credential: others } = await partners.other();
      const path = '/v1/cancellations?externalId=accept';
      for (let burst = 1; burst <= BURSTS; burst += 1) {
        const requests = Array.from({ length: plan.burst + plan.ratePerSecond + 2 }, () =>
          send({ path, token, busy: 'refused' }),
        );
        const first = (await Promise.all(requests)).find(({ status }) => status !== 404);
        if (first === undefined) continue;
        return [
          ...expectProblem(first, 'too_many_requests'),
          ...holds(Number(first.headers['retry-after']) > 0, 'no Retry-After', 'Retry-After in seconds'),
          ...expectProblem(await send({ path, token: others }), 'job_not_found'),
        ];
      }
      return fault(`no 429 in ${BURSTS} bursts of over ${plan.burst} requests`, '429');
    },
  },
  {
    id: 'limits.firewall',
    shows: 'more requests with one credential than the firewall lets through in 5 minutes: 429 in problem form',
    needs: 'AWS',
    changes: true,
    runs: 'alone',
    limitMs: 240_000,
    lookAt: 'infra/constructs/api/firewall.ts, infra/blueprint/environments.ts (firewall)',
    async run(stage) {
      if (!stage.firewall) return { skipped: 'only with --firewall: it sends thousands of requests' };
      const refused = await flood(stage);
      if (refused === undefined) return fault('no refusal by the firewall', '429');
      return expectProblem(refused, 'too_many_requests');
    },
  },
];
