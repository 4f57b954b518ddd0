import * as z from 'zod/mini';
import type { Ports } from '../core/ports.ts';
import { createCancellationLog } from './cancellation-log.ts';
import { readConfiguration, variables } from './configuration.ts';
import { createDynamoDbClient } from './dynamodb.ts';
import { createJobDirectory } from './job-directory.ts';
import { createPartners } from './partners.ts';
import { createPlangrep } from './plangrep-client.ts';
import { createPlangrepKey, createSecretsManagerClient } from './plangrep-key.ts';
import { report } from './report.ts';
import { systemClock as clock } from './system-clock.ts';

/** All ports, bound to the real world: once per cold start, by each function that sees cancels through. */
export const createPorts = (): Ports => {
  const configuration = readConfiguration(
    z.pick(variables, {
      CANCELLATION_LOG_TABLE: true,
      JOB_DIRECTORY_TABLE: true,
      PARTNERS_TABLE: true,
      PLANGREP_BASE_URL: true,
      PLANGREP_SECRET_ID: true,
    }),
  );
  const { PLANGREP_BASE_URL: baseUrl, PLANGREP_SECRET_ID: secretId } = configuration;
  const client = createDynamoDbClient();
  const key = createPlangrepKey({ client: createSecretsManagerClient(), secretId, clock, report });
  key.prefetch();
  return {
    log: createCancellationLog(client, configuration.CANCELLATION_LOG_TABLE),
    directory: createJobDirectory(client, configuration.JOB_DIRECTORY_TABLE),
    partners: createPartners(client, configuration.PARTNERS_TABLE),
    plangrep: createPlangrep({ baseUrl, key, clock }),
    clock,
    report,
  };
};
