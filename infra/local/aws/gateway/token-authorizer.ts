import * as z from 'zod/mini';
import type { InvocationResult } from '../lambda/container.ts';

export interface AuthorizerDefinition {
  /** The authorizer's function. */
  readonly function: string;
  /** A credential of another form is rejected without a call of the function. */
  readonly identityValidationExpression: string;
  /** How long the function's answer for a credential is used again. */
  readonly cacheSeconds: number;
}

export type Authorization =
  | {
      readonly kind: 'allowed';
      readonly context: Readonly<Record<string, string>>;
      /** By which the usage plans know the caller. */
      readonly usageKey?: string | undefined;
    }
  | { readonly kind: 'refused'; readonly response: RefusedAuthorization };

/** The response type of the gateway's answer. */
type RefusedAuthorization = 'UNAUTHORIZED' | 'ACCESS_DENIED' | 'AUTHORIZER_FAILURE' | 'AUTHORIZER_CONFIGURATION_ERROR';

const oneOrMore = z.union([z.string(), z.array(z.string())]);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const answerSchema = z.object({
  principalId: z.string(),
  policyDocument: z.object({
    Statement: z.array(z.object({ Effect: z.enum(['Allow', 'Deny']), Action: oneOrMore, Resource: oneOrMore })),
  }),
  context: z.optional(z.record(z.string(), scalar)),
  usageIdentifierKey: z.optional(z.string()),
});
type Answer = z.infer<typeof answerSchema>;
type Verdict = { readonly kind: 'answer'; readonly answer: Answer } | Extract<Authorization, { kind: 'refused' }>;

/**
 * A REST API's TOKEN authorizer: calls the function, caches its policy by credential, and evaluates the policy for each
 * method. It caches only policies, not refusals or failures. Simultaneous requests with one credential share one call.
 * @param now milliseconds since 1970
 * @returns takes the whole `Authorization` header, and the ARN of the method
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
 */
export function createTokenAuthorizer(
  { identityValidationExpression, cacheSeconds }: AuthorizerDefinition,
  invoke: (event: unknown) => Promise<InvocationResult>,
  now: () => number,
): (token: string | undefined, methodArn: string) => Promise<Authorization> {
  const form = new RegExp(identityValidationExpression);
  const cached = new Map<string, { readonly answer: Answer; readonly untilMs: number }>();
  const underWay = new Map<string, Promise<Verdict>>();

  const ask = async (token: string, methodArn: string): Promise<Verdict> => {
    const verdict = judge(await invoke({ type: 'TOKEN', authorizationToken: token, methodArn }));
    for (const [old, { untilMs }] of cached) if (untilMs <= now()) cached.delete(old);
    if (verdict.kind === 'answer' && cacheSeconds > 0) {
      cached.set(token, { answer: verdict.answer, untilMs: now() + cacheSeconds * 1000 });
    }
    return verdict;
  };

  const verdictOn = (token: string, methodArn: string): Promise<Verdict> => {
    const known = cached.get(token);
    const leftMs = (known?.untilMs ?? 0) - now();
    // More than that is left when the clock was put back.
    const isFresh = leftMs > 0 && leftMs <= cacheSeconds * 1000;
    if (known !== undefined && isFresh) return Promise.resolve({ kind: 'answer', answer: known.answer });
    const asked = underWay.get(token) ?? ask(token, methodArn).finally(() => underWay.delete(token));
    underWay.set(token, asked);
    return asked;
  };

  return async (token, methodArn) => {
    if (token === undefined || !form.test(token)) return refused('UNAUTHORIZED');
    const verdict = await verdictOn(token, methodArn);
    if (verdict.kind === 'refused') return verdict;
    const { answer } = verdict;
    if (!isAllowed(answer, methodArn)) return refused('ACCESS_DENIED');
    const context = Object.entries(answer.context ?? {}).map(([name, value]) => [name, String(value)]);
    return {
      kind: 'allowed',
      context: { ...Object.fromEntries(context), principalId: answer.principalId },
      usageKey: answer.usageIdentifierKey,
    };
  };
}

function judge(result: InvocationResult): Verdict {
  if (result.kind === 'failed' && result.errorMessage === 'Unauthorized') return refused('UNAUTHORIZED');
  if (result.kind !== 'answered') return refused('AUTHORIZER_FAILURE');
  const { success, data } = answerSchema.safeParse(result.payload);
  return success ? { kind: 'answer', answer: data } : refused('AUTHORIZER_CONFIGURATION_ERROR');
}

function refused(response: RefusedAuthorization) {
  return { kind: 'refused', response } as const;
}

/** As in IAM: an explicit Deny wins, and a method without a matching statement is denied. */
function isAllowed({ policyDocument }: Answer, methodArn: string): boolean {
  const matching = policyDocument.Statement.filter(
    ({ Action, Resource }) => covers(Action, 'execute-api:Invoke') && covers(Resource, methodArn),
  );
  return matching.length > 0 && matching.every(({ Effect }) => Effect === 'Allow');
}

/** As in IAM: `*` stands for any characters, `?` for one. */
function covers(patterns: string | string[], value: string): boolean {
  return [patterns].flat().some((pattern) => {
    const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
    return new RegExp(`^${source.replaceAll('?', '.')}$`, 's').test(value);
  });
}
