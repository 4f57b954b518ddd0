import { setTimeout as sleep } from 'node:timers/promises';
import { type AwsKey, signRequest, type UnsignedRequest } from './sign-request.ts';

/** How a service is reached. `global`: one endpoint for all regions, signed for us-east-1. */
interface Service {
  readonly host: string;
  readonly signedAs: string;
  /** In `AWS_ENDPOINT_URL_…`, which the SDK and the CLI read too. */
  readonly variable: string;
  readonly isGlobal?: true;
  /** Of the services that speak AWS JSON 1.1: before the operation in `X-Amz-Target`. */
  readonly target?: string;
  /** Of those that speak the query protocol: the API's version. */
  readonly version?: string;
}

const services = {
  sts: { host: 'sts', signedAs: 'sts', variable: 'STS', version: '2011-06-15' },
  ssm: { host: 'ssm', signedAs: 'ssm', variable: 'SSM', target: 'AmazonSSM' },
  cloudformation: {
    host: 'cloudformation',
    signedAs: 'cloudformation',
    variable: 'CLOUDFORMATION',
    version: '2010-05-15',
  },
  lambda: { host: 'lambda', signedAs: 'lambda', variable: 'LAMBDA' },
  wafv2: { host: 'wafv2', signedAs: 'wafv2', variable: 'WAFV2', target: 'AWSWAF_20190729' },
  apigateway: { host: 'apigateway', signedAs: 'apigateway', variable: 'API_GATEWAY' },
  iam: { host: 'iam', signedAs: 'iam', variable: 'IAM', version: '2010-05-08', isGlobal: true },
  logs: { host: 'logs', signedAs: 'logs', variable: 'CLOUDWATCH_LOGS', target: 'Logs_20140328' },
  cloudtrail: {
    host: 'cloudtrail',
    signedAs: 'cloudtrail',
    variable: 'CLOUDTRAIL',
    target: 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101',
  },
  servicequotas: {
    host: 'servicequotas',
    signedAs: 'servicequotas',
    variable: 'SERVICE_QUOTAS',
    target: 'ServiceQuotasV20190624',
  },
  acm: { host: 'acm', signedAs: 'acm', variable: 'ACM', target: 'CertificateManager' },
  route53: { host: 'route53', signedAs: 'route53', variable: 'ROUTE_53', isGlobal: true },
  sns: { host: 'sns', signedAs: 'sns', variable: 'SNS', version: '2010-03-31' },
  cloudwatch: { host: 'monitoring', signedAs: 'monitoring', variable: 'CLOUDWATCH', version: '2010-08-01' },
  eventbridge: { host: 'events', signedAs: 'events', variable: 'EVENTBRIDGE', target: 'AWSEvents' },
  secretsmanager: {
    host: 'secretsmanager',
    signedAs: 'secretsmanager',
    variable: 'SECRETS_MANAGER',
    target: 'secretsmanager',
  },
} as const satisfies Record<string, Service>;
export type AwsService = keyof typeof services;

/** One call: an operation with its parameters, or a path of a REST API. */
export type AwsCall =
  | { readonly operation: string; readonly input?: Readonly<Record<string, unknown>> }
  | { readonly path: string };

export type AwsAnswer =
  | { readonly kind: 'answer'; readonly text: string }
  /** The service refused: `code` is AWS's name for the reason. */
  | { readonly kind: 'error'; readonly code: string; readonly message: string }
  /** The credentials may not call `action`. */
  | { readonly kind: 'denied'; readonly action: string }
  | { readonly kind: 'silent'; readonly why: string };

/** @param action what IAM calls the permission, `lambda:GetAccountSettings` */
export type AskAws = (service: AwsService, action: string, call: AwsCall) => Promise<AwsAnswer>;

export interface AwsAccess {
  readonly region: string;
  readonly credentials: () => Promise<AwsKey>;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** @default 300 */
  readonly firstPauseMs?: number;
}

const TRIES = 3;
const TIME_LIMIT_MS = 10_000;

/**
 * Reads from AWS with nothing but Node: the workflow that deploys runs it beside AWS's credentials, where no package is
 * installed. It repeats a call when AWS has too many (429, throttling) or fails.
 */
export function createAskAws({ region, credentials, variables, firstPauseMs = 300 }: AwsAccess): AskAws {
  return async (name, action, call) => {
    const service: Service = services[name];
    const signed = { region: service.isGlobal === true ? 'us-east-1' : region, service: service.signedAs };
    const endpoint =
      variables[`AWS_ENDPOINT_URL_${service.variable}`] ??
      variables['AWS_ENDPOINT_URL'] ??
      `https://${service.host}${service.isGlobal === true ? '' : `.${region}`}.amazonaws.com`;
    const request = { ...describe(service, call), url: new URL('path' in call ? call.path : '/', endpoint) };
    for (let tries = 1; ; tries += 1) {
      const answer = await send(request);
      const isBusy =
        answer.kind === 'error' &&
        /Throttl|TooManyRequests|^HTTP 5|ServiceUnavailable|InternalFailure/.test(answer.code);
      if (!isBusy || tries === TRIES) return answer;
      await sleep(firstPauseMs * 2 ** (tries - 1));
    }

    async function send(unsigned: typeof request): Promise<AwsAnswer> {
      const headers = signRequest(unsigned, await credentials(), { ...signed, now: new Date() });
      try {
        const { method, url, body } = unsigned;
        const signal = AbortSignal.timeout(TIME_LIMIT_MS);
        const response = await fetch(url, { method, headers, redirect: 'error', signal, ...(body !== '' && { body }) });
        const text = await response.text();
        return response.ok ? { kind: 'answer', text } : readError(response, text, action);
      } catch (error) {
        return { kind: 'silent', why: reasonOf(error) };
      }
    }
  };
}

function describe({ target, version }: Service, call: AwsCall): Omit<UnsignedRequest, 'url'> {
  if ('path' in call) return { method: 'GET', headers: { accept: 'application/json' }, body: '' };
  const { operation, input = {} } = call;
  if (target !== undefined) {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `${target}.${operation}` };
    return { method: 'POST', headers, body: JSON.stringify(input) };
  }
  const parameters = Object.entries(input).map(([name, value]): [string, string] => [name, String(value)]);
  const body = new URLSearchParams([['Action', operation], ['Version', version ?? ''], ...parameters]).toString();
  return { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body };
}

function readError({ status, headers }: Response, text: string, action: string): AwsAnswer {
  const inBody = text.trimStart().startsWith('{')
    ? jsonError(text)
    : { code: inXml(text, 'Code'), message: inXml(text, 'Message') };
  // "com.amazonaws.ssm#ParameterNotFound", "AccessDeniedException:http://…"
  const named = headers.get('x-amzn-errortype') ?? inBody.code ?? '';
  const code = named.replace(/^.*#/, '').replace(/:.*$/, '') || `HTTP ${status}`;
  if (/^(AccessDenied|AuthorizationError|NotAuthorized|Unauthorized(Operation|Exception)?$)/.test(code)) {
    return { kind: 'denied', action };
  }
  return { kind: 'error', code, message: inBody.message ?? '' };
}

function jsonError(text: string): { readonly code?: string; readonly message?: string } {
  try {
    const { __type, code, message, Message }: Readonly<Record<string, string | undefined>> = JSON.parse(text);
    const [named, said] = [__type ?? code, message ?? Message];
    return { ...(named !== undefined && { code: named }), ...(said !== undefined && { message: said }) };
  } catch {
    return {};
  }
}

/** The text of the first element of this name, which in what is read here holds no other element. */
export function inXml(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

/** `ENOTFOUND`, `timeout after 10 s` */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'TimeoutError') return `timeout after ${TIME_LIMIT_MS / 1000} s`;
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}
