import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { AttemptPorts, Ports } from './core/ports.ts';
import { createCancellationLog } from './adapters/dynamodb/cancellation-log.ts';
import { readConfiguration, variables } from './adapters/configuration.ts';
import { createDynamoDbClient } from './adapters/dynamodb/dynamodb.ts';
import { createJobDirectory } from './adapters/dynamodb/job-directory.ts';
import { createPartners } from './adapters/dynamodb/partners.ts';
import { createPlangrep } from './adapters/plangrep/plangrep-client.ts';
import { createPlangrepKey, createSecretsManagerClient } from './adapters/plangrep/plangrep-key.ts';
import { report } from './adapters/report.ts';
import { systemClock as clock } from './adapters/system-clock.ts';

const attemptVariables = {
  CANCELLATION_LOG_TABLE: true,
  PLANGREP_BASE_URL: true,
  PLANGREP_SECRET_ID: true,
} as const;

const bindAttemptPorts = (
  client: DynamoDBClient,
  configuration: Readonly<Record<keyof typeof attemptVariables, string>>,
): AttemptPorts => {
  const { CANCELLATION_LOG_TABLE, PLANGREP_BASE_URL: baseUrl, PLANGREP_SECRET_ID: secretId } = configuration;
  const key = createPlangrepKey({ client: createSecretsManagerClient(), secretId, clock, report });
  key.prefetch();
  return {
    log: createCancellationLog(client, CANCELLATION_LOG_TABLE),
    plangrep: createPlangrep({ baseUrl, key, clock }),
    clock,
    report,
  };
};

/** The ports of a function that sees cancellations through, bound to the real world: once per cold start. */
export const createAttemptPorts = (): AttemptPorts =>
  bindAttemptPorts(createDynamoDbClient(), readConfiguration(z.pick(variables, attemptVariables)));

/** All ports, likewise, for a function that finds jobs too. */
export const createPorts = (): Ports => {
  const names = { ...attemptVariables, JOB_DIRECTORY_TABLE: true, PARTNERS_TABLE: true } as const;
  const configuration = readConfiguration(z.pick(variables, names));
  const client = createDynamoDbClient();
  return {
    ...bindAttemptPorts(client, configuration),
    directory: createJobDirectory(client, configuration.JOB_DIRECTORY_TABLE),
    partners: createPartners(client, configuration.PARTNERS_TABLE),
  };
};
