import { type Check, fault, holds } from '../check.ts';
import { expectProblem } from '../expect-answer.ts';

/** Plans are kept on a best-effort basis, so one burst may pass whole. */
const BURSTS = 4;

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
];
