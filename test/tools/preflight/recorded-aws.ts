import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { type AccessKey, createAccessKey, findSigner } from '../../../infra/local/aws/access-keys.ts';
import { type Listening, serveOnLoopback } from '../../../infra/local/aws/loopback.ts';

/** An answer of AWS, in the form of its service. */
export interface Recorded {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}
/** By what is called: `sts:GetCallerIdentity`, `apigateway:GET /account`, or more exactly with the input behind it. */
export type Answers = Readonly<Record<string, Recorded>>;

export interface RecordedAws extends Listening {
  readonly accessKey: AccessKey;
  /** What was called, as IAM names it, with the resource where it is in the request. */
  readonly calls: readonly string[];
  /** What is answered from now on. */
  answer(answers: Answers): void;
}

/**
 * AWS's APIs on 127.0.0.1, with answers that are given. Every request must bear a signature that the SDK's own signer
 * makes too: another one gets AWS's 403.
 */
export async function startRecordedAws(): Promise<RecordedAws> {
  const accessKey = createAccessKey();
  const calls: string[] = [];
  let answers: Answers = {};
  const server = createServer((request, response) => {
    void (async () => {
      const { method = '', url = '', headers } = request;
      const body = await text(request);
      const signer = await findSigner([accessKey], { method, url, headers, body: Buffer.from(body) });
      const service = /\/([\w-]+)\/aws4_request/.exec(headers.authorization ?? '')?.[1] ?? 'unsigned';
      const called = nameCall(service, url, String(headers['x-amz-target'] ?? ''), body);
      calls.push(called);
      const known = answers[called] ?? answers[called.replace(/ .*/, '')];
      const missing = json(500, { __type: 'InternalFailure', message: `nothing is recorded for ${called}` });
      const wrong = json(403, { __type: 'InvalidSignatureException', message: 'The signature does not match' });
      const { status, body: sent, headers: more = {} } = signer.kind === 'known' ? (known ?? missing) : wrong;
      response.writeHead(status, { 'Content-Type': 'application/octet-stream', ...more }).end(sent);
    })();
  });
  return { ...(await serveOnLoopback(server)), accessKey, calls, answer: (given) => void (answers = given) };
}

function nameCall(service: string, url: string, target: string, body: string): string {
  const [path = ''] = url.split('?');
  if (target !== '') return `${service}:${target.split('.').at(-1)} ${resourceIn(JSON.parse(body))}`.trim();
  if (path.startsWith('/2016-08-19/')) return 'lambda:GetAccountSettings';
  if (path.startsWith('/2019-09-30/')) return `lambda:GetFunctionConcurrency ${path.split('/')[3]}`;
  if (service === 'route53') return `route53:GetHostedZone ${path.split('/').at(-1)}`;
  if (service === 'apigateway') return `apigateway:GET ${path}`;
  const parameters = new URLSearchParams(body);
  const resource = parameters.get('StackName') ?? parameters.get('TopicArn') ?? parameters.get('RoleName') ?? '';
  return `${service}:${parameters.get('Action')} ${resource}`.trim();
}

function resourceIn(input: Readonly<Record<string, string | undefined>>): string {
  return (
    input['filterPattern'] ?? input['Name'] ?? input['SecretId'] ?? input['QuotaCode'] ?? input['CertificateArn'] ?? ''
  );
}

/** As AWS JSON and the REST APIs answer. */
export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Recorded {
  return { status, body: JSON.stringify(body), headers };
}

/** As the query protocol and REST-XML answer. */
export function xml(body: string): Recorded {
  return { status: 200, body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}` };
}

export function xmlError(status: number, code: string, message: string): Recorded {
  const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
  return { status, body };
}
