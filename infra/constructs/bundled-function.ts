import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  Alias,
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Environment } from '../blueprint/environments.ts';
import {
  type EnvironmentVariable,
  type FunctionDefinition,
  type FunctionName,
  functions,
  type SandboxFunctionName,
  type SandboxVariable,
} from '../blueprint/functions.ts';
import { functionNames, sandboxFunctionNames } from '../blueprint/roles.ts';
import { type Arns, ExactRole } from './exact-role.ts';

type Concurrency = Readonly<Partial<Record<BundledFunctionProps['name'], number>>>;
type Variable = EnvironmentVariable | SandboxVariable;

export interface BundledFunctionProps {
  readonly name: FunctionName | SandboxFunctionName;
  readonly environment: Environment;
  /** At least those that infra/blueprint/functions.ts names for it; the function is given no other. */
  readonly variables: Readonly<Partial<Record<Variable, string>>>;
  /** Of what its role is for, besides its own log group. */
  readonly arns: Arns;
}

/** Where `npm run build` leaves the bundles, a folder each. */
const bundles = new URL('../../dist/functions/', import.meta.url).pathname;

/** @returns the functions that `npm run build` has not built */
export const missingBundles = (folder: string = bundles): readonly string[] =>
  [...functionNames, ...sandboxFunctionNames].filter((name) => !existsSync(join(folder, name, 'index.cjs')));

/**
 * What tells two builds of a function apart. The code caches count by their names, which carry the bundle's hash, the
 * processor and the V8: their bytes differ a little each time they are made, and would deploy what has not changed.
 */
const hashOf = (folder: string): string =>
  createHash('sha256')
    .update(JSON.stringify([readdirSync(folder).toSorted(), readFileSync(join(folder, 'index.cjs'), 'utf8')]))
    .digest('hex');

/** A function as `npm run build` left it and infra/blueprint/functions.ts defines it, called by its alias `live` alone. */
export class BundledFunction extends Construct {
  readonly alias: Alias;
  readonly function: LambdaFunction;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, { name, environment, variables, arns }: BundledFunctionProps) {
    super(scope, id);
    const { timeoutSeconds, memoryMb, environment: own }: FunctionDefinition<Variable> = functions[name];
    const removalPolicy = environment.removalPolicy === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const reserved: Concurrency = environment.concurrency.reserved ?? {};
    const provisioned: Concurrency = environment.concurrency.provisioned ?? {};

    this.logGroup = new LogGroup(this, 'Logs', { retention: environment.logRetentionDays, removalPolicy });
    const { role } = new ExactRole(this, 'Permissions', {
      name,
      environment: environment.name,
      service: 'lambda.amazonaws.com',
      arns: { ...arns, OwnLogGroup: this.logGroup.logGroupArn },
    });
    this.function = new LambdaFunction(this, 'Function', {
      functionName: `plangrep-cancellation-${environment.name}-${name}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(join(bundles, name), { assetHash: hashOf(join(bundles, name)) }),
      handler: 'index.handler',
      timeout: Duration.seconds(timeoutSeconds),
      memorySize: memoryMb,
      environment: Object.fromEntries(own.map((variable) => [variable, valueIn(variables, variable)])),
      role,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      ...(reserved[name] !== undefined && { reservedConcurrentExecutions: reserved[name] }),
      // The version before stays: to go back is to point the alias at it.
      currentVersionOptions: { removalPolicy },
    });
    this.alias = new Alias(this, 'Live', {
      aliasName: 'live',
      version: this.function.currentVersion,
      ...(provisioned[name] !== undefined && { provisionedConcurrentExecutions: provisioned[name] }),
    });
  }
}

const valueIn = (variables: BundledFunctionProps['variables'], variable: Variable): string => {
  const value = variables[variable];
  if (value === undefined) throw new Error(`no value was given for ${variable}`);
  return value;
};
