/**
 * `POST /v1/cancellations` as a good tutorial does it: middy, Powertools' logger, metrics, idempotency and parameters, zod,
 * the document client, fetch with a timeout, clients made once. Its visible work is that of `request-cancellation`: find the
 * job, cancel it, keep an audit record, answer with problem+json. It neither writes its intent before the call nor retries a
 * cancel whose result is unknown.
 */
import { randomUUID } from 'node:crypto';
import { IdempotencyConfig } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { middy } from '@middy/core';
import { z } from 'zod';

const environment = z
  .object({
    JOB_DIRECTORY_TABLE: z.string(),
    AUDIT_TABLE: z.string(),
    IDEMPOTENCY_TABLE: z.string(),
    PLANGREP_BASE_URL: z.url(),
    PLANGREP_SECRET_ID: z.string(),
  })
  .parse(process.env);

const requestSchema = z.strictObject({
  externalId: z.string().min(1).max(180),
  jobId: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,128}$/)
    .optional(),
  reason: z.string().max(500).optional(),
});
const jobSchema = z.object({
  id: z.string(),
  status: z.string(),
  pageCount: z.number().nullish(),
  successfulPageCount: z.number().nullish(),
  billing: z.object({ creditsDebited: z.number() }).nullish(),
});

const logger = new Logger();
const metrics = new Metrics();
const client = new DynamoDBClient({});
const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
const persistenceStore = new DynamoDBPersistenceLayer({
  tableName: environment.IDEMPOTENCY_TABLE,
  awsSdkV3Client: client,
});
const config = new IdempotencyConfig({ eventKeyJmesPath: '[requestContext.authorizer.partnerId, body]' });

const problem = (status, code, detail, extra = {}) => ({
  statusCode: status,
  headers: { 'Content-Type': 'application/problem+json' },
  body: JSON.stringify({ type: `/problems/${code}`, title: code, status, detail, code, ...extra }),
});

const readJson = (text) => {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
};

const findJobs = async (partnerId, externalId) => {
  const { Items = [] } = await documents.send(
    new QueryCommand({
      TableName: environment.JOB_DIRECTORY_TABLE,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': `${partnerId}#job#${externalId}` },
    }),
  );
  return Items.map(({ sk }) => sk);
};

const cancelJob = async (jobId) => {
  const apiKey = String(await getSecret(environment.PLANGREP_SECRET_ID, { maxAge: 60 }));
  const response = await fetch(`${environment.PLANGREP_BASE_URL}/api/open/v1/jobs/${jobId}/cancel`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${apiKey}`, Accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(5_000),
  });
  if (!response.ok) throw new Error(`Plangrep answered ${response.status}`);
  const { job } = z.object({ job: jobSchema }).parse(await response.json());
  return job;
};

const lambdaHandler = async (event) => {
  const { partnerId, keyId } = event.requestContext.authorizer;
  const { requestId } = event.requestContext;
  const parsed = requestSchema.safeParse(readJson(event.body));
  if (!parsed.success) {
    const errors = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    return problem(400, 'invalid_request', 'The request is not valid', { errors, requestId });
  }
  const { externalId, reason } = parsed.data;
  const found = await findJobs(partnerId, externalId);
  const jobs = parsed.data.jobId === undefined ? found : found.filter((jobId) => jobId === parsed.data.jobId);
  const [jobId] = jobs;
  if (jobId === undefined) return problem(404, 'job_not_found', 'No job of yours has this externalId', { requestId });
  if (jobs.length > 1) {
    return problem(409, 'ambiguous_external_id', 'Several jobs have this externalId', { candidates: jobs, requestId });
  }

  const requestedAt = new Date().toISOString();
  let job;
  try {
    job = await cancelJob(jobId);
  } catch (error) {
    logger.error('The job could not be cancelled', { jobId, error });
    metrics.addMetric('cancellationFailed', MetricUnit.Count, 1);
    return problem(503, 'temporarily_unavailable', 'Repeat the request', { requestId });
  }
  const closedAt = new Date().toISOString();
  const { status: jobStatus, pageCount, successfulPageCount, billing } = job;
  const cancellation = {
    jobId,
    externalId,
    jobStatus,
    pageCount,
    successfulPageCount,
    creditsDebited: billing?.creditsDebited,
    requestedAt,
    closedAt,
  };
  await documents.send(
    new PutCommand({
      TableName: environment.AUDIT_TABLE,
      Item: { id: randomUUID(), type: 'cancelled', partnerId, keyId, requestId, reason, ...cancellation },
      ConditionExpression: 'attribute_not_exists(id)',
    }),
  );
  logger.info('Job cancelled', { partnerId, jobId, jobStatus });
  metrics.addMetric('cancellationClosed', MetricUnit.Count, 1);
  return {
    statusCode: 200,
    headers: { 'Content-Type': 'application/json', Location: `${event.path}/${jobId}` },
    body: JSON.stringify(cancellation),
  };
};

export const handler = middy(lambdaHandler)
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics, { captureColdStartMetric: true }))
  .use(makeHandlerIdempotent({ persistenceStore, config }));
