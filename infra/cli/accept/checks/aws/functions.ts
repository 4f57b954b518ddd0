import { deployedConcurrency } from '../../../../blueprint/account/concurrency.ts';
import { type FunctionDefinition, sandboxFunctions, serviceFunctions } from '../../../../blueprint/functions.ts';
import { cacheUnusedCode } from '../../../../build/load-function.ts';
import { type Check, type Fault, fault, same } from '../../check.ts';
import { readAws } from '../../read-aws.ts';
import type { AwsStage } from '../../stage.ts';

interface Deployed {
  readonly name: string;
  readonly physicalName: string;
  readonly definition: FunctionDefinition<string>;
}

function functionsOf({ environment }: AwsStage): readonly Deployed[] {
  const all: Readonly<Record<string, FunctionDefinition<string>>> = {
    ...serviceFunctions,
    ...(environment.sandbox === true && sandboxFunctions),
  };
  return Object.entries(all).map(([name, definition]) => {
    return { name, definition, physicalName: `plangrep-cancellation-${environment.name}-${name}` };
  });
}

/** Of Lambda's own answer, what a deployment decides. */
interface Configuration {
  readonly Runtime?: string;
  readonly Architectures?: readonly string[];
  readonly MemorySize?: number;
  readonly Timeout?: number;
  readonly State?: string;
  readonly LoggingConfig?: { readonly LogFormat?: string };
  readonly Environment?: { readonly Variables?: Readonly<Record<string, string>> };
}

function compare({ name, definition }: Deployed, found: Configuration): readonly Fault[] {
  const { timeoutSeconds, memoryMb, environment } = definition;
  const variables = Object.keys(found.Environment?.Variables ?? {});
  const seen = {
    runtime: found.Runtime,
    processor: found.Architectures?.join(),
    memoryMb: found.MemorySize,
    timeoutSeconds: found.Timeout,
    state: found.State,
    logs: found.LoggingConfig?.LogFormat,
    variables: variables.toSorted().join(),
  };
  const wanted = {
    runtime: 'nodejs24.x',
    processor: 'arm64',
    memoryMb,
    timeoutSeconds,
    state: 'Active',
    logs: 'JSON',
    variables: environment.toSorted().join(),
  };
  return same(name, seen, wanted);
}

const HOUR_MS = 3_600_000;

/** The functions as Lambda has them. */
export const functionChecks: readonly Check[] = [
  {
    id: 'functions.configuration',
    shows: 'what the alias live of each function runs: Node 24 on arm64, memory, timeout, variables, JSON lines',
    needs: 'AWS',
    lookAt: 'infra/blueprint/functions.ts, infra/constructs/bundled-function.ts',
    async run(stage) {
      const faults: Fault[] = [];
      for (const deployed of functionsOf(stage)) {
        const path = `/2015-03-31/functions/${deployed.physicalName}/configuration?Qualifier=live`;
        const read = await readAws(stage, 'lambda', 'lambda:GetFunctionConfiguration', { path });
        if ('skipped' in read) return read;
        const found: Configuration = JSON.parse(read.text);
        faults.push(...compare(deployed, found));
      }
      return faults;
    },
  },
  {
    id: 'functions.concurrency',
    shows: 'the reserved concurrency of each function, or none where the account does not hold it',
    needs: 'AWS',
    lookAt: 'infra/blueprint/environments.ts (concurrency), docs/preflight.md',
    async run(stage) {
      const { reserved } = deployedConcurrency(stage.environment.concurrency);
      const seen: Record<string, number> = {};
      for (const { name, physicalName } of functionsOf(stage)) {
        const path = `/2019-09-30/functions/${physicalName}/concurrency`;
        const read = await readAws(stage, 'lambda', 'lambda:GetFunctionConcurrency', { path });
        if ('skipped' in read) return read;
        const { ReservedConcurrentExecutions: found }: { ReservedConcurrentExecutions?: number } = JSON.parse(
          read.text,
        );
        if (found !== undefined) seen[name] = found;
      }
      return same('reserved concurrency', seen, reserved);
    },
  },
  {
    id: 'functions.code-caches',
    shows: "no function that started in the last hour had to do without V8's code caches",
    needs: 'AWS',
    lookAt: 'npm run ops -- preflight, docs/deploy.md',
    async run(stage) {
      const found: string[] = [];
      for (const logGroupName of await stage.place.logGroups()) {
        const filterPattern = `{ $.message.code = "${cacheUnusedCode}" }`;
        const input = { logGroupName, filterPattern, startTime: Date.now() - HOUR_MS, limit: 1 };
        const read = await readAws(stage, 'logs', 'logs:FilterLogEvents', { operation: 'FilterLogEvents', input });
        if ('skipped' in read) return read;
        const { events = [] }: { events?: readonly unknown[] } = JSON.parse(read.text);
        if (events.length > 0) found.push(logGroupName);
      }
      return found.length === 0 ? [] : fault(`${cacheUnusedCode} in ${found.join(', ')}`, 'none');
    },
  },
];
