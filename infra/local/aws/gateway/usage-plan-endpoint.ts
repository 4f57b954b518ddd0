import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import * as z from 'zod/mini';
import type { AccessKey } from '../access-keys.ts';
import { admit, describeError, parseInput, ServiceError } from '../aws-json-endpoint.ts';
import { type Listening, serveOnLoopback } from '../loopback.ts';
import type { ApiKey, LocalUsagePlans } from './usage-plans.ts';

export interface UsagePlanEndpointOptions {
  readonly usagePlans: LocalUsagePlans;
  /** Those that may call. */
  readonly keys: readonly AccessKey[];
  /** The name of a plan, which has its short name as its id. */
  readonly nameOf: (plan: string) => string;
}

interface Call {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly body: string;
}
interface Answer {
  readonly status: number;
  readonly body?: object;
}

const newKey = z.object({ name: z.string(), value: z.string().check(z.regex(/^[A-Za-z0-9]{20,128}$/)) });
const newPlanKey = z.object({ keyId: z.string(), keyType: z.literal('API_KEY') });

/**
 * API Gateway's calls about API keys and usage plans, on 127.0.0.1: exact enough for `ops` and the AWS CLI. Lists are whole:
 * one page, without filters.
 * @see https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
 */
export function startUsagePlanEndpoint({ usagePlans, keys, nameOf }: UsagePlanEndpointOptions): Promise<Listening> {
  const show = ({ id, name, value }: ApiKey) => ({ id, name, value, enabled: true });
  const planOf = (plan: string) => {
    const limits = Object.hasOwn(usagePlans.plans, plan) ? usagePlans.plans[plan] : undefined;
    if (limits === undefined) throw new ServiceError('NotFoundException', 'Invalid Usage Plan ID specified', 404);
    const { ratePerSecond: rateLimit, burst: burstLimit, requestsPerDay: limit } = limits;
    return { id: plan, name: nameOf(plan), throttle: { rateLimit, burstLimit }, quota: { limit, period: 'DAY' } };
  };
  const keyOf = (id: string): ApiKey => {
    const key = usagePlans.keys().find((one) => one.id === id);
    if (key === undefined) throw new ServiceError('NotFoundException', 'Invalid API Key identifier specified', 404);
    return key;
  };
  const inPlan = (plan: string): readonly ApiKey[] => usagePlans.keys().filter((key) => key.plan === plan);

  const actions: Readonly<Record<string, (call: Call) => Answer>> = {
    'GET /apikeys': () => ({ status: 200, body: { item: usagePlans.keys().map(show) } }),
    'POST /apikeys': ({ body }) => {
      const key = usagePlans.addKey(parseInput(newKey, parseBody(body), 'BadRequestException'));
      if (key === undefined) throw new ServiceError('ConflictException', 'API Key already exists', 409);
      return { status: 201, body: show(key) };
    },
    'DELETE /apikeys/{}': ({ path: [, id = ''] }) => {
      usagePlans.removeKey(keyOf(id).id);
      return { status: 202 };
    },
    'GET /usageplans': () => ({ status: 200, body: { item: Object.keys(usagePlans.plans).map(planOf) } }),
    'GET /usageplans/{}/keys': ({ path: [, plan = ''] }) => {
      const item = inPlan(planOf(plan).id).map(({ id, name, value }) => ({ id, name, value, type: 'API_KEY' }));
      return { status: 200, body: { item } };
    },
    'POST /usageplans/{}/keys': ({ path: [, plan = ''], body }) => {
      const { keyId } = parseInput(newPlanKey, parseBody(body), 'BadRequestException');
      const { id, name, value, plan: before } = keyOf(keyId);
      if (before !== undefined) {
        const why = `Usage Plan ${before} already has the key ${keyId}: a key has one plan for each stage`;
        throw new ServiceError('ConflictException', why, 409);
      }
      usagePlans.assign(id, planOf(plan).id);
      return { status: 201, body: { id, name, value, type: 'API_KEY' } };
    },
    'DELETE /usageplans/{}/keys/{}': ({ path: [, plan = '', , id = ''] }) => {
      if (keyOf(id).plan !== planOf(plan).id) {
        throw new ServiceError('NotFoundException', 'Invalid Usage Plan Key identifier specified', 404);
      }
      usagePlans.assign(id, undefined);
      return { status: 202 };
    },
    'GET /usageplans/{}/usage': ({ path: [, plan = ''], query }) => {
      const { quota } = planOf(plan);
      const [startDate, endDate] = [query.get('startDate') ?? '', query.get('endDate') ?? ''];
      const wanted = inPlan(plan).filter(({ id }) => id === (query.get('keyId') ?? id));
      const values = wanted.map(({ id }) => {
        const used = usagePlans.usedToday(id);
        return [id, [[used, quota.limit - used]]];
      });
      return { status: 200, body: { usagePlanId: plan, startDate, endDate, values: Object.fromEntries(values) } };
    },
  };

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const { body } = await admit(keys, request);
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const path = pathname.slice(1).split('/').map(decodeURIComponent);
    // Every second part of a path is an id.
    const pattern = `${request.method} /${path.map((part, at) => (at % 2 === 0 ? part : '{}')).join('/')}`;
    const act = Object.hasOwn(actions, pattern) ? actions[pattern] : undefined;
    if (act !== undefined) return act({ path, query, body: body.toString() });
    const offered = Object.keys(actions).join(', ');
    throw new ServiceError('UnknownOperationException', `This is API Gateway with only ${offered}.`, 404);
  };

  const server = createServer((request, response) => {
    const reply = (status: number, body: object | undefined, type?: string): void => {
      response.writeHead(status, {
        'Content-Type': 'application/json',
        'x-amzn-RequestId': randomUUID(),
        ...(type !== undefined && { 'x-amzn-ErrorType': type }),
      });
      response.end(body === undefined ? '' : JSON.stringify(body));
    };
    answer(request).then(
      ({ status, body }) => reply(status, body),
      (error: unknown) => {
        const { status, __type, message } = describeError(error);
        reply(status, { message }, __type);
      },
    );
  });
  return serveOnLoopback(server);
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ServiceError('BadRequestException', 'The body is not JSON.');
  }
}
