import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import * as z from 'zod/mini';
import { missingBundles } from '../../../infra/constructs/bundled-function.ts';
import type { Environment } from '../../../infra/blueprint/environment-schema.ts';
import { type EnvironmentName, environments } from '../../../infra/blueprint/environments.ts';
import type { RolloutOverride } from '../../../infra/blueprint/rollout/rollout-override.ts';
import { ServiceStack } from '../../../infra/stacks/service-stack.ts';
import { StatefulStack } from '../../../infra/stacks/stateful-stack.ts';

export const root = join(import.meta.dirname, '../../..');

const resourceSchema = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()),
});
export type Resource = z.infer<typeof resourceSchema>;
export type Resources = Readonly<Record<string, Resource>>;

const contextSchema = z.object({ context: z.record(z.string(), z.unknown()) });

if (missingBundles().length > 0) spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
const outdir = mkdtempSync(join(tmpdir(), 'synthesized-'));

/**
 * Both stacks as `cdk synth` makes them, with the flags of cdk.json.
 * @param prepare called between making and synthesizing them, for example to switch cdk-nag's checks on
 * @param rules whether the CDK validates the templates against its own rules, which takes most of the time
 */
export const synthesize = (
  environment: Environment,
  prepare: (app: App) => void = () => undefined,
  rules: 'validated' | 'not validated' = 'validated',
  rolloutOverride?: RolloutOverride,
) => {
  const { context } = contextSchema.parse(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')));
  const directory = mkdtempSync(join(outdir, 'synth-'));
  const app = new App({ context, outdir: directory, analyticsReporting: false });
  const stateful = new StatefulStack(app, 'Stateful', { environment });
  const service = new ServiceStack(app, 'Service', { environment, stateful, rolloutOverride });
  prepare(app);
  process.env['CDK_VALIDATION'] = String(rules === 'validated');
  const assembly = app.synth();
  const artifact = assembly.getStackArtifact(stateful.artifactId);
  const resourcesOf = (template: { readonly Resources: unknown }): Resources =>
    z.record(z.string(), resourceSchema).parse(template.Resources);
  return {
    directory,
    /** The stateful stack whole. */
    artifact,
    /** The service stack whole. */
    serviceArtifact: assembly.getStackArtifact(service.artifactId),
    stateful: resourcesOf(artifact.template),
    service: resourcesOf(assembly.getStackArtifact(service.artifactId).template),
    /** Of the service stack. */
    outputs: z.record(z.string(), z.unknown()).parse(assembly.getStackArtifact(service.artifactId).template.Outputs),
  };
};
export type Synthesized = ReturnType<typeof synthesize>;

const made = new Map<EnvironmentName, Synthesized>();
/**
 * One environment's stacks, synthesized once per test process: the files of a worker share them. A test of the checks
 * validates the same templates.
 */
export const synthesized = (name: EnvironmentName): Synthesized => {
  const known = made.get(name) ?? synthesize(environments[name], undefined, 'not validated');
  made.set(name, known);
  return known;
};

export const ofType = (resources: Resources, type: string): readonly (readonly [string, Resource['Properties']])[] =>
  Object.entries(resources)
    .filter(([, { Type }]) => Type === type)
    .map(([id, { Properties }]) => [id, Properties]);

/** The only resource of this type whose logical id begins with `prefix`. */
export const oneOf = (resources: Resources, type: string, prefix = ''): Resource['Properties'] => {
  const [first, ...others] = ofType(resources, type).filter(([id]) => id.startsWith(prefix));
  if (first === undefined || others.length > 0) throw new Error(`${1 + others.length} ${type} begin with ${prefix}`);
  return first[1];
};

const statement = z.looseObject({
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.optional(z.unknown()),
  Condition: z.optional(z.unknown()),
});
export type Statement = z.infer<typeof statement>;
const document = z.object({ Statement: z.array(statement) });
const inline = z.optional(z.array(z.object({ PolicyDocument: document })));

/** Every statement that says what a role may do: inline, attached, or in a separate policy. */
export const statementsOf = (resource: Resource): readonly Statement[] => {
  const { Policies, PolicyDocument } = resource.Properties;
  const policies = inline.parse(Policies) ?? [];
  const own = PolicyDocument === undefined ? [] : document.parse(PolicyDocument).Statement;
  return [...policies.flatMap(({ PolicyDocument: { Statement } }) => Statement), ...own];
};

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
