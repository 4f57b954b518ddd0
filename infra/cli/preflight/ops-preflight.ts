import { checkEnvironment } from '../../blueprint/environment-schema.ts';
import { environments } from '../../blueprint/environments.ts';
import { CannotDo } from '../command.ts';
import { common, commonOptions, type OpsCommand } from '../ops-command.ts';
import { explainFailure } from '../places/explain-failure.ts';
import type { Place } from '../places/place.ts';
import { createAskAws } from './ask-aws.ts';
import type { LogGroup } from './check-code-caches.ts';
import { exitCodeOf, runPreflight, showReport } from './run-preflight.ts';
import { tryStoredKey } from './try-stored-key.ts';

/** CloudFormation makes the group's name of the stack's, this and some characters. The schedule starts that function. */
const reconcilerLogs = 'reconcilecancellationsLogs';

const options = {
  ...commonOptions,
  environment: { hint: 'NAME', what: 'dev, staging or prod', required: true },
} as const;

/** Beside the other commands, since it needs neither stack nor local run. */
export const preflight: OpsCommand<typeof options> = {
  ...common,
  name: 'preflight',
  call: 'npm run ops -- preflight',
  summary: 'Shows what an AWS account lacks for an environment, before it is deployed and after.',
  notes: `It changes nothing. Of Plangrep's key it needs secretsmanager:GetSecretValue, and tries it with one read of a job that
does not exist. See docs/preflight.md.`,
  options,
  exitCodes: { 0: 'nothing must be fixed', 1: 'something must be fixed', 2: 'wrong usage, or no connection' },
  async run({ place, terminal, now }) {
    if (place.environment === 'local') throw new CannotDo(2, 'The local run needs no account: pass an --environment.');
    const environment = { ...environments[place.environment], region: place.region };
    const checked = checkEnvironment(environment);
    if (checked.kind === 'invalid') throw new CannotDo(1, checked.message);
    const { credentials } = place.secretsManager.config;
    const ask = createAskAws({ region: place.region, credentials: () => credentials(), variables: process.env });
    const report = await runPreflight(environment, {
      ask,
      now,
      bundles: new URL('../../../dist/functions/', import.meta.url).pathname,
      tryKey: () => tryStoredKey(ask, environment),
      findLog: () => findReconcilerLog(place),
    });
    terminal.show(report, showReport(report));
    return exitCodeOf(report);
  },
};

async function findReconcilerLog(place: Place): Promise<LogGroup> {
  try {
    const name = (await place.logGroups()).find((group) => group.includes(reconcilerLogs));
    return name === undefined ? { kind: 'unknown', why: `no log group ${reconcilerLogs}` } : { kind: 'found', name };
  } catch (error) {
    const explained = explainFailure(error, place.where);
    if (explained === undefined) throw error;
    return { kind: 'unknown', why: explained.message };
  }
}
