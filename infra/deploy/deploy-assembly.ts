import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Aws, AwsCliError, assumeRole, createAws } from './aws-cli.ts';
import { deployStack } from './deploy-stack.ts';
import { publishFiles } from './publish-files.ts';
import { readAssembly } from './read-assembly.ts';

/**
 * `node infra/deploy/deploy-assembly.ts cdk.out outputs.json [STACK…]`: deploys what `cdk synth` wrote, or those of its stacks
 * (`Service`), with nothing but Node and the AWS CLI. It runs beside AWS's credentials, so it and its imports use no package: test/infra holds that.
 */
const [folder, outputsFile, ...wanted] = process.argv.slice(2);
if (folder === undefined || outputsFile === undefined) {
  console.error('usage: node infra/deploy/deploy-assembly.ts FOLDER OUTPUTS.json [STACK…]');
  process.exit(2);
}
process.exitCode = await deploy(folder, outputsFile).catch((error: unknown) => {
  if (!(error instanceof AwsCliError)) throw error;
  console.error(error.message);
  return 1;
});

async function deploy(from: string, to: string): Promise<number> {
  const self = createAws(process.env['AWS_REGION'] ?? 'us-east-1');
  const identity: { Account: string; Arn: string } = JSON.parse(self(['sts', 'get-caller-identity']));
  const caller = { account: identity.Account, partition: identity.Arn.split(':')[1] ?? 'aws' };
  const all = readAssembly(from, caller);
  const stacks = wanted.length === 0 ? all : all.filter(({ id }) => wanted.includes(id));
  if (stacks.length === 0) {
    console.error(`No stack is called ${wanted.join(' or ')}.`);
    return 2;
  }

  const publishers = new Map<string, Aws>();
  function publisher(role: string, region: string): Aws {
    const known = publishers.get(role) ?? assumeRole(self, role, region);
    publishers.set(role, known);
    return known;
  }
  const outputs: Record<string, Readonly<Record<string, string>>> = {};
  for (const stack of stacks) {
    console.log(`${stack.name}: uploading ${stack.files.length} files`);
    publishFiles(stack.files, caller.account, publisher);
    const aws = assumeRole(self, stack.deployRole, stack.region);
    const changeSetName = `deployment-${Date.now()}`;
    const result = await deployStack(stack, { aws, sleep, log: console.log, changeSetName });
    if (result.kind === 'failed') {
      console.error(result.why.join('\n'));
      return 1;
    }
    outputs[stack.name] = result.outputs;
  }
  writeFileSync(to, `${JSON.stringify(outputs, undefined, 2)}\n`);
  console.log(`Deployed: ${stacks.map(({ name }) => name).join(', ')}`);
  return 0;
}
