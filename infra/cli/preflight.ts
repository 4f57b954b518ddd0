import { environmentNames, environments } from '../blueprint/environments.ts';
import { CannotDo, type ExitCode, runScript } from './command.ts';
import { createAskAws } from './preflight/ask-aws.ts';
import { exitCodeBeforeDeployment, runPreflight, showReport } from './preflight/run-preflight.ts';

/**
 * `node infra/cli/preflight.ts`: the first step of a deployment. It runs beside AWS's credentials, so it and its imports use
 * no package: test/infra holds that. An operator runs `npm run ops -- preflight`, which tries Plangrep's key too.
 */
const command = {
  name: 'preflight',
  call: 'node infra/cli/preflight.ts',
  summary: `Shows what an AWS account lacks for an environment, and changes nothing. It takes the credentials of the environment
(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN) and does not read Plangrep's key.`,
  options: {
    environment: { hint: 'NAME', what: environmentNames.join(', '), required: true },
    json: { what: 'one JSON document instead of text' },
  },
  exitCodes: {
    0: 'the deployment may go on: what else must be fixed is shown',
    1: 'something must be fixed before',
    2: 'wrong usage, or no connection',
  },
  wrongUsage: 2,
} as const;

await runScript(command, async ({ environment: name, json }): Promise<ExitCode> => {
  const known = environmentNames.find((candidate) => candidate === name);
  if (known === undefined) throw new CannotDo(2, `--environment must be one of ${environmentNames.join(', ')}.`);
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new CannotDo(2, 'There are no AWS credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.');
  }
  const key = { accessKeyId, secretAccessKey, sessionToken: process.env['AWS_SESSION_TOKEN'] };
  const environment = environments[known];
  const ask = createAskAws({
    region: environment.region,
    credentials: () => Promise.resolve(key),
    variables: process.env,
  });
  const bundles = new URL('../../dist/functions/', import.meta.url).pathname;
  const report = await runPreflight(environment, { ask, now: Date.now(), bundles });
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${showReport(report).join('\n')}\n`);
  return exitCodeBeforeDeployment(report);
});
