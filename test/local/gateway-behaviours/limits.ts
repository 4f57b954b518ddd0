import { expect } from 'vitest';
import { type Behaviour, pages } from './behaviour.ts';
import type { TestedGateway } from './given-gateway.ts';

const ask = ({ call, bearer }: TestedGateway, keyId: string, path = '/things') =>
  call(path, { headers: bearer(keyId) });
/** How often a caller may call. */
export const limits: readonly Behaviour[] = [
  {
    id: 'usage-key-of-the-authorizer',
    given: 'a token whose usageIdentifierKey is in a plan',
    documented: 'with the key source AUTHORIZER the key of the authorizer is used, and the client sends none',
    source: pages.keySource,
    play: async (gateway) => {
      expect((await ask(gateway, 'good')).status).toBe(200);
    },
  },
  {
    id: 'usage-key-in-a-header-counts-for-nothing',
    given: 'x-api-key with a key of a plan, and an authorizer that names none',
    documented: 'with the key source AUTHORIZER the key does not come from the X-API-Key header',
    source: pages.keySource,
    play: async ({ call, bearer }) => {
      const answer = await call('/things', { headers: { ...bearer('planless'), 'x-api-key': 'large' } });
      expect(answer).toMatchObject({ status: 403, refused: 'INVALID_API_KEY' });
    },
  },
  {
    id: 'usage-key-in-no-plan',
    given: 'an authorizer that names no key',
    documented: 'INVALID_API_KEY, 403',
    source: pages.responses,
    play: async (gateway) => {
      expect(await ask(gateway, 'planless')).toMatchObject({ status: 403, refused: 'INVALID_API_KEY' });
    },
  },
  {
    id: 'plan-burst',
    given: 'three requests at once with a burst of two',
    documented: 'over the burst a request is a 429',
    source: pages.throttling,
    play: async (gateway) => {
      const statuses = [await ask(gateway, 'small'), await ask(gateway, 'small'), await ask(gateway, 'small')];
      expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
      expect(statuses[2]?.refused).toBe('THROTTLED');
    },
  },
  {
    id: 'plan-rate',
    given: 'a request one second after the burst is used up, at one a second',
    documented: 'a token bucket: it fills at the rate',
    source: pages.throttling,
    play: async (gateway) => {
      for (let request = 0; request < 3; request += 1) await ask(gateway, 'small');
      gateway.wait(1_000);
      const next = [await ask(gateway, 'small'), await ask(gateway, 'small')];
      expect(next.map(({ status }) => status)).toEqual([200, 429]);
    },
  },
  {
    id: 'plan-quota',
    given: 'the second request of a day with a quota of one',
    documented: 'QUOTA_EXCEEDED, 429',
    source: pages.responses,
    play: async (gateway) => {
      gateway.wait(86_400_000);
      expect((await ask(gateway, 'little')).status).toBe(200);
      expect(await ask(gateway, 'little')).toMatchObject({ status: 429, refused: 'QUOTA_EXCEEDED' });
    },
  },
  {
    id: 'plan-for-each-key',
    given: 'a key over its burst, and another key',
    documented: 'limits apply to each API key',
    source: pages.plans,
    play: async (gateway) => {
      for (let request = 0; request < 3; request += 1) await ask(gateway, 'small');
      expect((await ask(gateway, 'good')).status).toBe(200);
    },
  },
  {
    id: 'stage-throttle',
    given: "a request over the stage's limits",
    documented: 'THROTTLED, 429, for every client together',
    source: pages.responses,
    play: async (gateway) => {
      gateway.fault({ kind: 'throttled', ratePerSecond: 1, burst: 1 });
      expect((await ask(gateway, 'good')).status).toBe(200);
      expect(await ask(gateway, 'good')).toMatchObject({ status: 429, refused: 'THROTTLED' });
    },
  },
  {
    id: 'plan-before-stage',
    given: "requests over a plan's burst, under a stage's",
    documented: "a plan's limits apply before those of the stage: what the plan refuses takes nothing from the stage",
    source: pages.throttling,
    play: async (gateway) => {
      gateway.fault({ kind: 'throttled', ratePerSecond: 1, burst: 3 });
      for (let request = 0; request < 5; request += 1) await ask(gateway, 'small');
      expect((await ask(gateway, 'good')).status).toBe(200);
    },
  },
  {
    id: 'public-throttle',
    given: 'many requests to a method with its own throttle',
    documented: 'individual methods can have limits in the stage',
    source: pages.throttling,
    differs: 'The pages of the documentation have no throttle, and there is no throttle for the account.',
    play: async ({ call }) => {
      const all = await Promise.all(Array.from({ length: 100 }, () => call('/open/mixed')));
      expect(all.filter(({ status }) => status === 200)).toHaveLength(100);
    },
  },
  {
    id: 'retry-after',
    given: 'a request over a plan of one a second',
    documented: 'a header of a gateway response is a constant, or a value of the request',
    source: pages.customized,
    differs:
      '`Retry-After` of a 429 is the true number of seconds. On AWS it is fixed: 1 for a rate, 3600 for the day, 300 for the firewall.',
    play: async (gateway) => {
      for (let request = 0; request < 2; request += 1) await ask(gateway, 'small');
      expect((await ask(gateway, 'small')).headers['x-seconds']).toBe('1');
      gateway.wait(86_400_000);
      await ask(gateway, 'little');
      expect(Number((await ask(gateway, 'little')).headers['x-seconds'])).toBeLessThan(86_400);
    },
  },
  {
    id: 'firewall',
    given: 'many requests from one address',
    documented: 'a rate-based rule of WAF blocks what is over its limit in five minutes',
    source: pages.firewall,
    differs:
      'There is no firewall: nothing is counted over five minutes, and no request is refused for what it contains.',
    play: async ({ call }) => {
      const all = await Promise.all(Array.from({ length: 200 }, () => call('/open/mixed')));
      expect(all.filter(({ status }) => status === 200)).toHaveLength(200);
    },
  },
];
