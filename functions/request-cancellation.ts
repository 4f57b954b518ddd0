import * as z from 'zod/mini';
import { createCancellationLog } from './adapters/cancellation-log.ts';
import { readConfiguration, variables } from './adapters/configuration.ts';
import { createDynamoDbClient } from './adapters/dynamodb.ts';
import { createJobDirectory } from './adapters/job-directory.ts';
import { createPlangrep } from './adapters/plangrep-client.ts';
import { createPlangrepKey, createSecretsManagerClient } from './adapters/plangrep-key.ts';
import { createPartners } from './adapters/partners.ts';
import { report } from './adapters/report.ts';
import { systemClock as clock } from './adapters/system-clock.ts';
import { handleRequestCancellation } from './http/handle-request-cancellation.ts';

const configuration = readConfiguration(
  z.pick(variables, {
    CANCELLATION_LOG_TABLE: true,
    JOB_DIRECTORY_TABLE: true,
    PARTNERS_TABLE: true,
    PLANGREP_BASE_URL: true,
    PLANGREP_SECRET_ID: true,
  }),
);
const client = createDynamoDbClient();
const key = createPlangrepKey({
  client: createSecretsManagerClient(),
  secretId: configuration.PLANGREP_SECRET_ID,
  clock,
});

export const handler = handleRequestCancellation({
  log: createCancellationLog(client, configuration.CANCELLATION_LOG_TABLE),
  directory: createJobDirectory(client, configuration.JOB_DIRECTORY_TABLE),
  partners: createPartners(client, configuration.PARTNERS_TABLE),
  plangrep: createPlangrep({ baseUrl: configuration.PLANGREP_BASE_URL, key, clock }),
  clock,
  report,
});
