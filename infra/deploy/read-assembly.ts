import { readFileSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';

/** A stack of a synthesized CDK assembly, with everything that its deployment needs. */
export interface AssemblyStack {
  /** The CDK's: `Stateful`, `Service`. */
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly templateUrl: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly terminationProtection: boolean;
  /** Creates and executes the change set. */
  readonly deployRole: string;
  /** CloudFormation's own, for the resources. */
  readonly executionRole: string;
  /** The template too. */
  readonly files: readonly AssetFile[];
}

export interface AssetFile {
  readonly path: string;
  /** `zip`: the path is a folder, to be uploaded as an archive. */
  readonly packaging: 'file' | 'zip';
  readonly bucket: string;
  readonly key: string;
  readonly region: string;
  readonly publishingRole: string;
}

/** Whom the caller is: CDK leaves account and partition open, since it synthesizes without credentials. */
export interface Caller {
  readonly account: string;
  readonly partition: string;
}

interface Manifest {
  readonly artifacts: Readonly<Record<string, Artifact>>;
}
interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly dependencies?: readonly string[];
  readonly properties?: {
    readonly stackName: string;
    readonly file: string;
    readonly tags?: Readonly<Record<string, string>>;
    readonly terminationProtection?: boolean;
    readonly assumeRoleArn: string;
    readonly cloudFormationExecutionRoleArn: string;
    readonly stackTemplateAssetObjectUrl: string;
  };
}
interface Assets {
  readonly dockerImages?: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, Asset>>;
}
interface Asset {
  readonly source: { readonly path: string; readonly packaging: 'file' | 'zip' };
  readonly destinations: Readonly<
    Record<
      string,
      {
        readonly bucketName: string;
        readonly objectKey: string;
        readonly region: string;
        readonly assumeRoleArn: string;
      }
    >
  >;
}

/**
 * Reads what `cdk synth` wrote, with the default (bootstrapped) synthesizer.
 * Packages' code took part in writing it, so every text is checked before it becomes an argument of the AWS CLI, which
 * reads a local file for an argument like `file:///proc/self/environ`.
 * @returns the stacks, each after those that it depends on
 * @throws Error for what this project has none of, for example container images or a stack without a region
 */
export function readAssembly(folder: string, caller: Caller): readonly AssemblyStack[] {
  const { artifacts }: Manifest = readJson(folder, 'manifest.json', caller);
  const ordered = new Set<string>();
  function add(id: string): void {
    for (const dependency of artifacts[id]?.dependencies ?? []) add(dependency);
    ordered.add(id);
  }
  for (const id of Object.keys(artifacts)) add(id);

  return [...ordered].flatMap((id) => {
    const { type, properties, environment = '', dependencies = [] } = artifacts[id] ?? { type: '' };
    if (type !== 'aws:cloudformation:stack' || properties === undefined) return [];
    const region = checked('region', environment.split('/').at(-1));
    const manifests = dependencies
      .map((dependency) => artifacts[dependency])
      .filter((artifact) => artifact?.type === 'cdk:asset-manifest');
    return {
      id,
      name: checked('stack', properties.stackName),
      region,
      templateUrl: toHttps(properties.stackTemplateAssetObjectUrl, region),
      tags: properties.tags ?? {},
      terminationProtection: properties.terminationProtection ?? false,
      deployRole: checked('role', properties.assumeRoleArn),
      executionRole: checked('role', properties.cloudFormationExecutionRoleArn),
      files: manifests.flatMap((artifact) => readFiles(folder, artifact?.properties?.file ?? '', caller)),
    };
  });
}

function readFiles(folder: string, name: string, caller: Caller): readonly AssetFile[] {
  const { files, dockerImages = {} }: Assets = readJson(folder, name, caller);
  if (Object.keys(dockerImages).length > 0)
    throw new Error(`${name} has container images, which are not deployed here`);
  return Object.values(files).flatMap(({ source, destinations }) =>
    Object.values(destinations).map(({ bucketName, objectKey, region, assumeRoleArn }) => ({
      path: inside(folder, source.path),
      packaging: source.packaging,
      bucket: checked('bucket', bucketName),
      key: checked('key', objectKey),
      region: checked('region', region),
      publishingRole: checked('role', assumeRoleArn),
    })),
  );
}

const patterns = {
  region: /^[a-z]{2}(-[a-z]+)+-\d$/,
  stack: /^[a-zA-Z][a-zA-Z0-9-]*$/,
  role: /^arn:[a-z-]+:iam::\d{12}:role\/[\w-]+$/,
  bucket: /^[a-z0-9][a-z0-9-]*$/,
  key: /^[0-9a-f]+\.[a-z]+$/,
} as const;

function checked(what: keyof typeof patterns, value: string | undefined): string {
  if (value === undefined || !patterns[what].test(value)) throw new Error(`the assembly has no proper ${what}`);
  return value;
}

/** Nothing else on the machine is ever uploaded, not through a link either. */
function inside(folder: string, path: string): string {
  const real = realpathSync(join(folder, path));
  if (!real.startsWith(`${realpathSync(folder)}${sep}`)) throw new Error('the assembly has a file outside its folder');
  return real;
}

function readJson(folder: string, name: string, { account, partition }: Caller) {
  const text = readFileSync(join(folder, name), 'utf8');
  return JSON.parse(text.replaceAll('${AWS::AccountId}', account).replaceAll('${AWS::Partition}', partition));
}

/** CloudFormation takes a template only by an https address. */
function toHttps(address: string, region: string): string {
  const { hostname, pathname } = new URL(address);
  return `https://${hostname}.s3.${region}.amazonaws.com${pathname}`;
}
