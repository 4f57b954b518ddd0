import * as z from 'zod/mini';
import { readConfiguration, variables } from './adapters/configuration.ts';
import { createDynamoDbClient } from './adapters/dynamodb/dynamodb.ts';
import { createJobDirectory } from './adapters/dynamodb/job-directory.ts';
import { report } from './adapters/report.ts';
import { systemClock } from './adapters/system-clock.ts';
import { handleRegisterJob } from './doors/http/handle-register-job.ts';

const configuration = readConfiguration(z.pick(variables, { JOB_DIRECTORY_TABLE: true }));

export const handler = handleRegisterJob({
  directory: createJobDirectory(createDynamoDbClient(), configuration.JOB_DIRECTORY_TABLE),
  clock: systemClock,
  report,
});
