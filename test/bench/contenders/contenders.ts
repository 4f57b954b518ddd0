import { join } from 'node:path';
import { eventDoor } from '../../../infra/blueprint/bus-events.ts';
import { type EnvironmentVariable, type FunctionName, serviceFunctions } from '../../../infra/blueprint/functions.ts';
import { localCredentials, localRegion } from '../../../infra/local/aws/dynamodb.ts';
import type { ContainerDefinition } from '../../../infra/local/aws/lambda/container.ts';
import { secretId } from '../../proof/crash/stage.ts';
import type { Service } from '../../proof/crash/tap.ts';
import type { HappyPath } from './happy-paths.ts';
import { cancelOne, happyPaths } from './happy-paths.ts';
import { baselineTables } from './baseline-tables.ts';
import type { BuiltContenders } from './build-contenders.ts';

/** Whatever is measured: a folder with `index.cjs`, and what it is asked to do. */
export interface Contender {
  readonly name: string;
  readonly directory: string;
  readonly path: HappyPath;
  /** Gets the event and the answers of the contender with this name. @default its own */
  readonly like?: string;
  /** Besides what every contender is given. */
  readonly environment: Readonly<Record<string, string>>;
}

const dist = new URL('../../../dist/functions', import.meta.url).pathname;
const baselinePackages = new URL('../baseline/node_modules', import.meta.url).pathname;

export const isFunctionName = (name: string): name is FunctionName => Object.hasOwn(serviceFunctions, name);

const values: Readonly<Partial<Record<EnvironmentVariable, string>>> = {
  ENVIRONMENT: 'local',
  PLANGREP_SECRET_ID: secretId,
  JOB_DIRECTORY_TABLE: 'JobDirectory',
  CANCELLATION_LOG_TABLE: 'CancellationLog',
  PARTNERS_TABLE: 'Partners',
  EVENTS_MAX_RECEIVES: String(eventDoor.maxReceives),
};

/** A function as it is shipped. */
export const shipped = (name: FunctionName): Contender => ({
  name,
  directory: join(dist, name),
  path: happyPaths[name],
  environment: Object.fromEntries(
    serviceFunctions[name].environment.flatMap((variable) =>
      Object.entries(values).filter(([known]) => known === variable),
    ),
  ),
});

/** A handler that does nothing, in the same surroundings as `request-cancellation`. */
export const empty = ({ empty: directory }: BuiltContenders): Contender => ({
  ...shipped('request-cancellation'),
  name: 'empty handler',
  like: 'request-cancellation',
  directory,
});

/** The lower limit: the same bytes, without anything around them. */
export const bareHttps = ({ bareHttps: directory }: BuiltContenders): Contender => ({
  ...shipped('request-cancellation'),
  name: 'bare https',
  like: 'request-cancellation',
  directory,
});

export const sdkAlone = ({ sdkAlone: directory }: BuiltContenders): Contender => ({
  ...shipped('request-cancellation'),
  name: 'the SDK alone',
  like: 'request-cancellation',
  directory,
});

/** `POST /v1/cancellations` as the usual tutorial does it. */
export const baseline = ({ baseline: directory }: BuiltContenders): Contender[] =>
  directory === undefined
    ? []
    : [
        {
          name: 'tutorial baseline',
          directory,
          path: cancelOne,
          environment: {
            ...shipped('request-cancellation').environment,
            ...baselineTables,
            POWERTOOLS_SERVICE_NAME: 'cancellations',
            POWERTOOLS_METRICS_NAMESPACE: 'plangrep',
            AWS_NODEJS_CONNECTION_REUSE_ENABLED: '1', // `NodejsFunction` sets it.
          },
        },
      ];

/** A contender's container. @param urls of what it talks to */
export const defineContainer = (
  { name, directory, environment }: Contender,
  urls: Readonly<Record<Service, string>>,
  bootstrap: string,
  surroundings: Readonly<Record<string, string>> = {},
): ContainerDefinition => ({
  functionName: name.replaceAll(' ', '-'),
  directory,
  bootstrap,
  memoryMb: 512,
  // A reconciler naps for wake-ups within its time: with 3 s of it left over, it looks at what is due and leaves.
  timeoutMs: name === 'reconcile-cancellations' ? 22_000 : 15_000,
  environment: {
    ...environment,
    PLANGREP_BASE_URL: urls.plangrep,
    AWS_REGION: localRegion,
    AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: urls.dynamodb,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: urls.secretsmanager,
    // Where Lambda's own copy of the SDK is found, for whoever does not bring one.
    NODE_PATH: baselinePackages,
    ...surroundings,
  },
});
