import { type Check, same } from '../check.ts';
import { pick } from '../expect-answer.ts';

/** What reaches a partner's endpoint. The endpoint is the API itself, where it has no address: public, and it confirms nothing. */
export const callbackChecks: readonly Check[] = [
  {
    id: 'callbacks.test',
    shows: "a test callback goes over the internet to a partner's endpoint, and its answer, here a 404, is on record",
    needs: 'operator credentials',
    changes: true,
    runs: 'beside',
    lookAt: 'infra/constructs/events/callbacks.ts, the lines of deliver-callbacks: npm run ops -- logs',
    async run({ partners, url }) {
      const test = await partners.testCallback(new URL('no-such-endpoint', url).href);
      return same('test', pick(test, ['isDelivered', 'why', 'httpStatus']), {
        isDelivered: false,
        why: 'http_status',
        httpStatus: 404,
      });
    },
  },
];
