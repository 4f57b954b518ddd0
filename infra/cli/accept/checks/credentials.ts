import { setTimeout as sleep } from 'node:timers/promises';
import { partnerAuthorizer } from '../../../blueprint/api.ts';
import type { Check, Fault } from '../check.ts';
import { fault } from '../check.ts';
import { expectHeader, expectProblem } from '../expect-answer.ts';
import type { Answer, Send } from '../send-request.ts';
import { madeUpToken } from './routes.ts';

const path = '/v1/cancellations?externalId=accept-of-no-job';
const lookAt = 'infra/blueprint/api.ts (partnerAuthorizer), functions/doors/http/check-credential.ts';
/** API Gateway's own cache is not exact. */
const MARGIN_SECONDS = 10;
const EVERY_MS = 2_000;

function expectUnauthorized(answer: Answer): readonly Fault[] {
  return [...expectProblem(answer, 'unauthorized'), ...expectHeader(answer, 'www-authenticate', 'Bearer')];
}

async function refusesAll(send: Send, headers: readonly Readonly<Record<string, string>>[]): Promise<readonly Fault[]> {
  const answers = await Promise.all(headers.map((one) => send({ path, headers: one })));
  return answers.flatMap(expectUnauthorized);
}

/** Another character in the place of the last one. */
const changed = (credential: string): string => credential.slice(0, -1) + (credential.endsWith('A') ? 'B' : 'A');

/** Who is let in, and what for. */
export const credentialChecks: readonly Check[] = [
  {
    id: 'credentials.none',
    shows: 'without a credential: 401 that names the scheme',
    needs: 'https',
    lookAt,
    run: ({ send }) => refusesAll(send, [{}]),
  },
  {
    id: 'credentials.malformed',
    shows: 'a credential of another form, or none but an API key: 401, without starting the authorizer',
    needs: 'https',
    lookAt,
    run: ({ send }) =>
      refusesAll(send, [
        { Authorization: madeUpToken },
        { Authorization: `Bearer  ${madeUpToken}` },
        { Authorization: `Bearer ${madeUpToken.toUpperCase()}` },
        { Authorization: `Bearer ${madeUpToken}0` },
        { Authorization: `Basic ${Buffer.from('accept:accept').toString('base64')}` },
        { 'x-api-key': '0'.repeat(64) },
      ]),
  },
  {
    id: 'credentials.made-up',
    shows: 'a well-formed credential that was never issued: 401, also when the refusal comes from the cache',
    needs: 'https',
    lookAt,
    async run({ send }) {
      const answers = [await send({ path, token: madeUpToken }), await send({ path, token: madeUpToken })];
      return answers.flatMap(expectUnauthorized);
    },
  },
  {
    id: 'credentials.wrong',
    shows: 'the right key with a wrong secret, or of another environment: 401',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    async run({ send, partners }) {
      const { credential } = await partners.issueKey({});
      const elsewhere = credential.replace(/^pcg_[a-z]+_/, 'pcg_elsewhere_');
      return refusesAll(send, [
        { Authorization: `Bearer ${changed(credential)}` },
        { Authorization: `Bearer ${elsewhere}` },
      ]);
    },
  },
  {
    id: 'credentials.expired',
    shows: 'an expired credential: 401',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    async run({ send, partners }) {
      const { credential } = await partners.issueKey({ expired: true });
      return refusesAll(send, [{ Authorization: `Bearer ${credential}` }]);
    },
  },
  {
    id: 'credentials.revoked',
    shows: `a credential in use that is revoked: 401 within ${partnerAuthorizer.cacheSeconds} s`,
    needs: 'operator credentials',
    changes: true,
    runs: 'beside',
    limitMs: (partnerAuthorizer.cacheSeconds + 2 * MARGIN_SECONDS) * 1000,
    lookAt,
    async run({ send, partners, signal }) {
      const { credential: token, keyId } = await partners.issueKey({});
      const used = await send({ path, token });
      await partners.revokeKey(keyId);
      const revokedAt = performance.now();
      for (;;) {
        const answer = await send({ path, token });
        const seconds = (performance.now() - revokedAt) / 1000;
        if (answer.status === 401) return [...expectProblem(used, 'job_not_found'), ...expectUnauthorized(answer)];
        if (seconds > partnerAuthorizer.cacheSeconds + MARGIN_SECONDS) {
          return fault(`status ${answer.status} after ${Math.round(seconds)} s`, 'status 401');
        }
        await sleep(EVERY_MS, undefined, { signal });
      }
    },
  },
  {
    id: 'credentials.scope',
    shows: 'a credential without the scope of the operation: 403, and 404 where it has it',
    needs: 'operator credentials',
    changes: true,
    lookAt: 'functions/doors/http/serve.ts',
    async run({ send, partners }) {
      const { credential: token } = await partners.issueKey({ scopes: 'cancellations:read' });
      const written = await send({ method: 'POST', path: '/v1/cancellations', token, body: { externalId: 'accept' } });
      return [...expectProblem(written, 'forbidden'), ...expectProblem(await send({ path, token }), 'job_not_found')];
    },
  },
  {
    id: 'credentials.plan',
    shows: 'a partner with a credential and without a usage plan: 403',
    needs: 'operator credentials',
    changes: true,
    lookAt: 'infra/constructs/api/partner-api.ts (apiKeyRequired), npm run ops -- partner show',
    async run({ send, partners }) {
      const { credential: token } = await partners.issueKey({ partnerId: `${partners.run}-noplan` });
      return expectProblem(await send({ path, token }), 'forbidden');
    },
  },
];
