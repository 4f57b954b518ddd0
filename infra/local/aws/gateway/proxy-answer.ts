import * as z from 'zod/mini';
import { renderGatewayResponse } from '../../../blueprint/api.ts';
import type { InvocationResult } from '../lambda/container.ts';

/** An answer as it goes out. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Buffer;
}

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const answerSchema = z.object({
  statusCode: z.int().check(z.gte(200), z.lte(599)),
  headers: z.optional(z.nullable(z.record(z.string(), scalar))),
  multiValueHeaders: z.optional(z.nullable(z.record(z.string(), z.array(scalar)))),
  body: z.optional(z.nullable(z.string())),
  isBase64Encoded: z.optional(z.boolean()),
});

/** The gateway's own business: a function cannot set them. */
const framing = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade']);

/**
 * A function's end as the caller sees it: its answer when that has the form a proxy integration wants, else API
 * Gateway's own words.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export const toHttpAnswer = (result: InvocationResult, requestId: string): HttpAnswer => {
  const { success, data } = answerSchema.safeParse(result.kind === 'answered' ? result.payload : undefined);
  // A function that failed or timed out is to API Gateway one that answered nonsense.
  if (!success) return renderGatewayResponse('DEFAULT_5XX', requestId);
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = data;
  const all = Object.entries({ ...headers, ...multiValueHeaders })
    .filter(([name]) => !framing.has(name.toLowerCase()))
    .map(([name, value]): [string, string | string[]] => [
      name,
      Array.isArray(value) ? value.map(String) : String(value),
    ]);
  const isTyped = all.some(([name]) => name.toLowerCase() === 'content-type');
  return {
    statusCode,
    headers: Object.fromEntries(isTyped ? all : [...all, ['Content-Type', 'application/json']]),
    body: isBase64Encoded === true ? Buffer.from(body ?? '', 'base64') : (body ?? ''),
  };
};
