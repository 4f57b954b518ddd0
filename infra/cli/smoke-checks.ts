import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { problemContentType } from '../../functions/contract/problems.ts';

/** What came back over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Empty when the body is no JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** One look at a deployment from outside. */
export interface Check {
  readonly name: string;
  readonly needsToken: boolean;
  readonly request: (token: string) => { readonly path: string; readonly init: RequestInit };
  /** @returns what is wrong, nothing when all is well */
  readonly judge: (answer: Answer) => readonly string[];
}

const expectProblem = ({ status, headers, body }: Answer, wanted: number, code: string): string[] => [
  ...(status === wanted ? [] : [`status ${status}, not ${wanted}`]),
  ...(headers.get('content-type')?.split(';', 1)[0] === problemContentType ? [] : [`not ${problemContentType}`]),
  ...(body['code'] === code ? [] : [`the problem's code is not ${code}`]),
  ...(body['status'] === wanted ? [] : [`the problem's status is not ${wanted}`]),
  ...(typeof body['requestId'] === 'string' && body['requestId'] !== '' ? [] : ['no requestId']),
  ...expectHeader(headers, 'cache-control', 'no-store'),
];

const expectHeader = (headers: Headers, name: string, wanted: string): string[] =>
  headers.get(name) === wanted ? [] : [`${name} is not ${wanted}`];

/** The functions' own answers; API Gateway's carry fewer. */
const expectFunctionHeaders = ({ headers, body }: Answer): string[] => [
  ...expectHeader(headers, 'x-content-type-options', 'nosniff'),
  ...(headers.get('x-request-id') === body['requestId'] ? [] : ["x-request-id is not the problem's requestId"]),
];

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const errorsSchema = z.array(z.object({ path: z.string(), message: z.string() })).check(z.minLength(1));
/** No partner's: nobody has a job by this name. */
const unknownId = `smoke-${randomUUID()}`;

/** None of them reaches a job, whatever is deployed. */
export const checks: readonly Check[] = [
  {
    name: 'without a credential: 401',
    needsToken: false,
    request: () => ({ path: `v1/cancellations?externalId=${unknownId}`, init: {} }),
    judge: (answer) => [
      ...expectProblem(answer, 401, 'unauthorized'),
      ...expectHeader(answer.headers, 'www-authenticate', 'Bearer'),
    ],
  },
  {
    name: 'with a made-up credential: 401',
    needsToken: false,
    request: () => {
      const madeUp = `pcg_smoke_${'0'.repeat(12)}_${'0'.repeat(43)}`;
      return { path: `v1/cancellations?externalId=${unknownId}`, init: { headers: bearer(madeUp) } };
    },
    judge: (answer) => expectProblem(answer, 401, 'unauthorized'),
  },
  {
    name: 'an unknown address: 404',
    needsToken: false,
    request: () => ({ path: 'v1/no-such-address', init: {} }),
    judge: (answer) => expectProblem(answer, 404, 'route_not_found'),
  },
  {
    name: 'an unknown externalId: 404 from the directory',
    needsToken: true,
    request: (token) => ({ path: `v1/cancellations?externalId=${unknownId}`, init: { headers: bearer(token) } }),
    judge: (answer) => [...expectProblem(answer, 404, 'job_not_found'), ...expectFunctionHeaders(answer)],
  },
  {
    name: 'a request without a body of the right form: 400 with errors',
    needsToken: true,
    request: (token) => {
      const headers = { ...bearer(token), 'Content-Type': 'application/json' };
      return { path: 'v1/cancellations', init: { method: 'POST', headers, body: '{"externalId":false}' } };
    },
    judge: (answer) => [
      ...expectProblem(answer, 400, 'invalid_request'),
      ...(errorsSchema.safeParse(answer.body['errors']).success ? [] : ['no list of errors']),
      ...expectFunctionHeaders(answer),
    ],
  },
];
