import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Alias,
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { deployedConcurrency } from '../blueprint/account/concurrency.ts';
import type { Environment } from '../blueprint/environment-schema.ts';
import {
  type EnvironmentVariable,
  type FunctionDefinition,
  type FunctionName,
  functionNames,
  functions,
  type SandboxFunctionName,
  sandboxFunctionNames,
  type SandboxVariable,
} from '../blueprint/functions.ts';
import { type Arns, ExactRole } from './exact-role.ts';

/** Every caller names it, so that a rollout decides which version answers. */
export const liveAlias = 'live';

type Concurrency = Readonly<Partial<Record<BundledFunctionProps['name'], number>>>;
type Variable = EnvironmentVariable | SandboxVariable;

export interface BundledFunctionProps {
  readonly name: FunctionName | SandboxFunctionName;
  readonly environment: Environment;
  /** At least those that infra/blueprint/functions.ts names for the function: it gets those, and no other. */
  readonly variables: Readonly<Partial<Record<Variable, string>>>;
  /** Of the resources that its role names, besides its own log group. */
  readonly arns: Arns;
}

/** Where `npm run build` puts the bundles, one folder each. */
const bundles = new URL('../../dist/functions/', import.meta.url).pathname;

/** @returns the functions that `npm run build` has not built */
export const missingBundles = (folder: string = bundles): readonly string[] =>
  [...functionNames, ...sandboxFunctionNames].filter((name) => !existsSync(join(folder, name, 'index.mjs')));

/** A function as `npm run build` made it and infra/blueprint/functions.ts defines it, called only by its alias `live`. */
export class BundledFunction extends Construct {
  readonly alias: Alias;
  readonly function: LambdaFunction;
  readonly logGroup: LogGroup;
  readonly roleArn: string;

  constructor(scope: Construct, id: string, { name, environment, variables, arns }: BundledFunctionProps) {
    super(scope, id);
    const {
      timeoutSeconds,
      memoryMb,
      environment: own,
      mayStartItself,
    }: FunctionDefinition<Variable> = functions[name];
    const removalPolicy = environment.removalPolicy === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    const reserved: Concurrency = deployedConcurrency(environment.concurrency).reserved;
    const provisioned: Concurrency = environment.concurrency.provisioned ?? {};

    this.logGroup = new LogGroup(this, 'Logs', { retention: environment.logRetentionDays, removalPolicy });
    const { role } = new ExactRole(this, 'Permissions', {
      name,
      environment: environment.name,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      arns: { ...arns, OwnLogGroup: this.logGroup.logGroupArn },
    });
    this.roleArn = role.roleArn;
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
      ...(mayStartItself === true && { recursiveLoop: RecursiveLoop.ALLOW }),
      ...(reserved[name] !== undefined && { reservedConcurrentExecutions: reserved[name] }),
      // The previous version stays, since a canary that fails goes back to it. A person does not point the alias anywhere:
      // the next deployment would begin from what the template says (docs/deploy.md).
      currentVersionOptions: { removalPolicy },
    });
    this.alias = new Alias(this, 'Live', {
      aliasName: liveAlias,
      version: this.function.currentVersion,
      ...(provisioned[name] !== undefined && { provisionedConcurrentExecutions: provisioned[name] }),
    });
  }
}

const loaders = ['index.mjs', 'index.cjs', 'package.json'] as const;

/**
 * Of the bundle, and of the code caches' names only: a name has the hash of the bundle, the processor and the V8 in it,
 * while the bytes differ a little each time they are made, and would deploy a function that has not changed.
 */
function hashOf(folder: string): string {
  return createHash('sha256')
    .update(
      JSON.stringify([
        readdirSync(folder).toSorted(),
        ...loaders.map((name) => readFileSync(join(folder, name), 'utf8')),
      ]),
    )
    .digest('hex');
}

function valueIn(variables: BundledFunctionProps['variables'], variable: Variable): string {
  const value = variables[variable];
  if (value === undefined) throw new Error(`no value was given for ${variable}`);
  return value;
}
