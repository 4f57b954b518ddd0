import * as z from 'zod/mini';
import { createCancellationLog } from './adapters/dynamodb/cancellation-log.ts';
import { readConfiguration, variables } from './adapters/configuration.ts';
import { createDynamoDbClient } from './adapters/dynamodb/dynamodb.ts';
import { createJobDirectory } from './adapters/dynamodb/job-directory.ts';
import { report } from './adapters/report.ts';
import { systemClock } from './adapters/system-clock.ts';
import { handleReadCancellations } from './doors/http/handle-read-cancellations.ts';

const configuration = readConfiguration(z.pick(variables, { CANCELLATION_LOG_TABLE: true, JOB_DIRECTORY_TABLE: true }));
const client = createDynamoDbClient();

export const handler = handleReadCancellations({
  log: createCancellationLog(client, configuration.CANCELLATION_LOG_TABLE),
  directory: createJobDirectory(client, configuration.JOB_DIRECTORY_TABLE),
  clock: systemClock,
  report,
});
