import * as z from 'zod/mini';
import { type GatewayResponseType, partnerAuthorizer } from '../../../blueprint/api.ts';
import type { InvocationResult } from '../lambda/container.ts';

export type Authorization =
  | { readonly kind: 'allowed'; readonly context: Readonly<Record<string, string>> }
  | { readonly kind: 'refused'; readonly response: GatewayResponseType };

export interface TokenAuthorizerOptions {
  readonly invoke: (event: unknown) => Promise<InvocationResult>;
  /** How long an answer stands. @default 60_000 */
  readonly ttlMs?: number | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const oneOrMore = z.union([z.string(), z.array(z.string())]);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const answerSchema = z.object({
  principalId: z.string(),
  policyDocument: z.object({
    Statement: z.array(z.object({ Effect: z.enum(['Allow', 'Deny']), Action: oneOrMore, Resource: oneOrMore })),
  }),
  context: z.optional(z.record(z.string(), scalar)),
});
type Answer = z.infer<typeof answerSchema>;
type Verdict = { readonly kind: 'answer'; readonly answer: Answer } | Extract<Authorization, { kind: 'refused' }>;

const refused = (response: GatewayResponseType) => ({ kind: 'refused', response }) as const;

/** `*` stands for any characters, `?` for one, as in IAM. */
const covers = (patterns: string | string[], value: string): boolean =>
  [patterns].flat().some((pattern) => {
    const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
    return new RegExp(`^${source.replaceAll('?', '.')}$`, 's').test(value);
  });

/** An explicit Deny wins; what no statement allows is denied. */
const isAllowed = ({ policyDocument }: Answer, methodArn: string): boolean => {
  const matching = policyDocument.Statement.filter(
    ({ Action, Resource }) => covers(Action, 'execute-api:Invoke') && covers(Resource, methodArn),
  );
  return matching.length > 0 && matching.every(({ Effect }) => Effect === 'Allow');
};

const judge = (result: InvocationResult): Verdict => {
  if (result.kind === 'failed' && result.errorMessage === 'Unauthorized') return refused('UNAUTHORIZED');
  if (result.kind !== 'answered') return refused('AUTHORIZER_FAILURE');
  const { success, data } = answerSchema.safeParse(result.payload);
  return success ? { kind: 'answer', answer: data } : refused('AUTHORIZER_CONFIGURATION_ERROR');
};

/**
 * A REST API's TOKEN authorizer: asks the function, keeps its policy by token, and evaluates it for each method. Only a
 * policy is kept, never a refusal or a failure. Requests that come while one asks for the same token share its answer.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
 */
export const createTokenAuthorizer = ({
  invoke,
  ttlMs = partnerAuthorizer.cacheSeconds * 1000,
  now,
}: TokenAuthorizerOptions) => {
  const form = new RegExp(partnerAuthorizer.identityValidationExpression);
  const kept = new Map<string, { readonly answer: Answer; readonly until: number }>();
  const asking = new Map<string, Promise<Verdict>>();

  const ask = async (token: string, methodArn: string): Promise<Verdict> => {
    const verdict = judge(await invoke({ type: 'TOKEN', authorizationToken: token, methodArn }));
    for (const [old, { until }] of kept) if (until <= now()) kept.delete(old);
    if (verdict.kind === 'answer' && ttlMs > 0) kept.set(token, { answer: verdict.answer, until: now() + ttlMs });
    return verdict;
  };

  const verdictOn = (token: string, methodArn: string): Promise<Verdict> => {
    const known = kept.get(token);
    if (known !== undefined && known.until > now()) return Promise.resolve({ kind: 'answer', answer: known.answer });
    const underWay = asking.get(token);
    if (underWay !== undefined) return underWay;
    const asked = ask(token, methodArn).finally(() => asking.delete(token));
    asking.set(token, asked);
    return asked;
  };

  /** @param token the whole `Authorization` header */
  return async (token: string | undefined, methodArn: string): Promise<Authorization> => {
    if (token === undefined || !form.test(token)) return refused('UNAUTHORIZED');
    const verdict = await verdictOn(token, methodArn);
    if (verdict.kind === 'refused') return verdict;
    const { answer } = verdict;
    if (!isAllowed(answer, methodArn)) return refused('ACCESS_DENIED');
    const context = Object.entries(answer.context ?? {}).map(([name, value]) => [name, String(value)]);
    return { kind: 'allowed', context: { ...Object.fromEntries(context), principalId: answer.principalId } };
  };
};
