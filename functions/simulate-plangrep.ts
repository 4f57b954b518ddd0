import * as z from 'zod/mini';
import { readConfiguration, variables } from './adapters/configuration.ts';
import { createDynamoDbClient } from './adapters/dynamodb/dynamodb.ts';
import { createPlangrepKey, createSecretsManagerClient } from './adapters/plangrep/plangrep-key.ts';
import { report } from './adapters/report.ts';
import { createSandboxRecords } from './adapters/dynamodb/sandbox-records.ts';
import { systemClock as clock } from './adapters/system-clock.ts';
import { createApiKeyCheck } from './simulator/check-api-key.ts';
import { handleSimulatedCall } from './simulator/handle-simulated-call.ts';

const { SANDBOX_TABLE, PLANGREP_SECRET_ID: secretId } = readConfiguration(
  z.pick(variables, { SANDBOX_TABLE: true, PLANGREP_SECRET_ID: true }),
);
const key = createPlangrepKey({ client: createSecretsManagerClient(), secretId, clock, report });
key.prefetch();

/** In Plangrep's place, in a sandbox alone. */
export const handler = handleSimulatedCall({
  records: createSandboxRecords(createDynamoDbClient(), SANDBOX_TABLE, () => clock.now()),
  isAuthorized: createApiKeyCheck(key, clock),
  clock,
});
