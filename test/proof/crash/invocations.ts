import { marshall } from '@aws-sdk/util-dynamodb';
import type { APIGatewayProxyEvent, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod/mini';
import { cancellationSchema, registeredJobSchema } from '../../../functions/contract/answers.ts';
import { problemSchema } from '../../../functions/contract/problem-answers.ts';
import { renderGatewayResponse } from '../../../infra/blueprint/api.ts';
import type { LambdaStreamRecord } from '../../../infra/local/aws/events/stream-source.ts';
import { toHttpAnswer } from '../../../infra/local/aws/gateway/proxy-integration.ts';
import type { InvocationResult } from '../../../infra/local/aws/lambda/container.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** As API Gateway knows the route: `/v1/jobs/{jobId}`. */
  readonly resource: string;
  readonly path: string;
  readonly pathParameters?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, readonly string[]>>;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly body?: string | undefined;
  readonly isBase64Encoded?: boolean;
}

const scopes = 'cancellations:write cancellations:read jobs:write';

/** A request as API Gateway hands it to a function, the caller known already. */
export const proxyEvent = (partnerId: string, requestId: string, request: HttpRequest): APIGatewayProxyEvent => {
  const { method, resource, path, pathParameters, query, body, isBase64Encoded = false } = request;
  const multiValueHeaders = copy({ 'Content-Type': ['application/json'], ...request.headers });
  const last = (values: Record<string, string[]>) =>
    Object.fromEntries(Object.entries(values).map(([name, all]) => [name, all.at(-1)]));
  const parameters = query === undefined ? null : copy(query);
  const event = {
    resource,
    path,
    httpMethod: method,
    headers: last(multiValueHeaders),
    multiValueHeaders,
    queryStringParameters: parameters === null ? null : last(parameters),
    multiValueQueryStringParameters: parameters,
    pathParameters: pathParameters === undefined ? null : { ...pathParameters },
    stageVariables: null,
    requestContext: { authorizer: { partnerId, keyId: 'proofkey0001', scopes }, path, requestId, stage: 'local' },
    body: body ?? null,
    isBase64Encoded,
  };
  return event as unknown as APIGatewayProxyEvent;
};

const copy = (values: Readonly<Record<string, readonly string[]>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(values).map(([name, all]) => [name, [...all]]));

export const cancelRequest = (
  partnerId: string,
  requestId: string,
  body: string,
  headers: HttpRequest['headers'] = {},
): APIGatewayProxyEvent => {
  const path = '/v1/cancellations';
  return proxyEvent(partnerId, requestId, { method: 'POST', resource: path, path, body, headers });
};

export const registerRequest = (
  partnerId: string,
  requestId: string,
  jobId: string,
  body: string,
): APIGatewayProxyEvent =>
  proxyEvent(partnerId, requestId, {
    method: 'PUT',
    resource: '/v1/jobs/{jobId}',
    path: `/v1/jobs/${jobId}`,
    pathParameters: { jobId },
    body,
  });

/** A message as SQS hands it to a function. @param receives how often it has been handed out, this time included */
export const sqsRecord = (messageId: string, body: string, receives = 1): SQSRecord => ({
  messageId,
  receiptHandle: 'receipt',
  body,
  attributes: {
    ApproximateReceiveCount: String(receives),
    SentTimestamp: String(Date.now()),
    SenderId: 'sender',
    ApproximateFirstReceiveTimestamp: '0',
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:eu-west-1:000000000000:events',
  awsRegion: 'eu-west-1',
});

export const sqsEvent = (...Records: SQSRecord[]): SQSEvent => ({ Records });

/** A new item of the log as Lambda hands it to a function. @param nth of the stream */
export const streamRecord = (item: Readonly<Record<string, unknown>>, nth = 1): LambdaStreamRecord => {
  const NewImage = marshall(item, { removeUndefinedValues: true });
  const { pk = { S: '' }, sk = { S: '' } } = NewImage;
  return {
    eventID: String(nth).padStart(32, 'f'),
    eventName: 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'eu-west-1',
    eventSourceARN: 'arn:aws:dynamodb:eu-west-1:000000000000:table/CancellationLog/stream/2026-11-26T13:05:11.123',
    dynamodb: {
      ApproximateCreationDateTime: 1_795_000_000,
      Keys: { pk, sk },
      NewImage,
      SequenceNumber: `1${String(nth).padStart(20, '0')}`,
      SizeBytes: 300,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
  };
};

/** What a rule's input transformer makes of an event. */
export const envelope = (
  partnerId: string,
  id: string,
  detailType: 'Job Cancellation Requested' | 'Job Registered',
  detail: object,
  time: number,
): string => {
  const seconds = new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
  return JSON.stringify({ partnerId, id, time: seconds, detailType, detail });
};

/** What a caller over HTTPS sees. */
export interface HttpEnd {
  readonly status: number;
  /** The problem's code. */
  readonly code?: string | undefined;
  readonly outcome?: string | null | undefined;
  readonly jobId?: string | undefined;
  /** Why it is not an answer of the contract. */
  readonly malformed?: string | undefined;
}

/** Reads an answer by the contract, as strictly as a caller might. */
export const readHttpEnd = (result: InvocationResult): HttpEnd => {
  const { statusCode: status, body } = toHttpAnswer(result, () => renderGatewayResponse('DEFAULT_5XX', 'request'));
  const parsed: unknown = JSON.parse(String(body));
  if (status >= 400) {
    const problem = problemSchema.safeParse(parsed);
    if (!problem.success) return { status, malformed: z.prettifyError(problem.error) };
    const { code } = problem.data;
    const shown = 'cancellation' in problem.data ? problem.data.cancellation : undefined;
    return { status, code, outcome: shown?.outcome, jobId: shown?.jobId };
  }
  const job = registeredJobSchema.safeParse(parsed);
  if (job.success) return { status, jobId: job.data.jobId };
  const cancellation = cancellationSchema.safeParse(parsed);
  if (!cancellation.success) return { status, malformed: z.prettifyError(cancellation.error) };
  return { status, outcome: cancellation.data.outcome, jobId: cancellation.data.jobId };
};

const batchSchema = z.object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })) });

/** The messages that a batch gives back; nothing when the function did not answer: then the queue keeps all of them. */
export const readBatchFailures = (result: InvocationResult): readonly string[] | undefined =>
  result.kind === 'answered'
    ? batchSchema.parse(result.payload).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
    : undefined;
