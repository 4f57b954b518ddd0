import { CannotDo, type CommandDescription, endProcess, type ExitCode, parseCommand, usageOf } from './command.ts';
import { showArchive, showArchiveKeys } from './audit/ops-archive.ts';
import { verifyAuditTrail } from './audit/ops-audit.ts';
import { pauseCallback, removeCallback, rotateCallback, setCallback, showCallback } from './callbacks/ops-callback.ts';
import { replayCallback, resumeCallback, testCallback } from './callbacks/replay-callbacks.ts';
import { findRequest } from './cancellations/find-request.ts';
import { listErasures } from './erase/list-erasures.ts';
import { erase } from './erase/ops-erase.ts';
import { listOpenCancellations } from './cancellations/list-open.ts';
import { showCancellation } from './cancellations/show-cancellation.ts';
import { addUpCredits } from './credits/ops-credits.ts';
import { registerJob, releaseJob, releaseProject, showJob } from './jobs/ops-jobs.ts';
import { showLogs } from './logs/show-logs.ts';
import { cancelMany } from './many/ops-cancel.ts';
import { common, commonOptions, type OpsCommand } from './ops-command.ts';
import { issuePartnerKey, listPartnerKeys, revokePartnerKey } from './partners/ops-partner-keys.ts';
import { addPartner, listPartners, removePartner, showPartner } from './partners/ops-partner.ts';
import { checkTable, freezeTable, prepareTable } from './restore/ops-restore.ts';
import { listLost } from './restore/list-lost.ts';
import { startRestore } from './restore/start-restore.ts';
import { setPartner } from './partners/set-partner.ts';
import { preflight } from './preflight/ops-preflight.ts';
import { dropDeadLetter, listDeadLetters, showDeadLetters } from './queues/dead-letters.ts';
import { redriveDeadLetters } from './queues/redrive-dead-letters.ts';
import { listQueues } from './queues/list-queues.ts';
import { putPlangrepKey, returnToPlangrepKey } from './plangrep-key/ops-plangrep-key.ts';
import { openDeployedPlace, readEnvironmentName, readRegion } from './places/deployed-place.ts';
import { explainFailure } from './places/explain-failure.ts';
import { openLocalPlace } from './places/local-place.ts';
import type { Place } from './places/place.ts';
import { makeReceipt } from './receipt/ops-receipt.ts';
import { createTerminal } from './terminal.ts';

/** `npm run ops`: what an operator does by hand, on the local run or on a deployed environment. */
const commands: readonly OpsCommand[] = [
  preflight,
  issuePartnerKey,
  listPartnerKeys,
  revokePartnerKey,
  addPartner,
  setPartner,
  showPartner,
  listPartners,
  removePartner,
  setCallback,
  showCallback,
  testCallback,
  pauseCallback,
  resumeCallback,
  replayCallback,
  rotateCallback,
  removeCallback,
  registerJob,
  showJob,
  releaseJob,
  releaseProject,
  findRequest,
  showLogs,
  listOpenCancellations,
  showCancellation,
  cancelMany,
  addUpCredits,
  erase,
  listErasures,
  listQueues,
  listDeadLetters,
  showDeadLetters,
  redriveDeadLetters,
  dropDeadLetter,
  putPlangrepKey,
  returnToPlangrepKey,
  verifyAuditTrail,
  showArchive,
  showArchiveKeys,
  makeReceipt,
  freezeTable,
  startRestore,
  listLost,
  prepareTable,
  checkTable,
];

await endProcess(() => run(process.argv.slice(2)), 2);

function run(args: readonly string[]): Promise<ExitCode> | ExitCode {
  const command = commands.find(({ name }) => name === args.slice(0, name.split(' ').length).join(' '));
  if (command !== undefined) return runCommand(command, args.slice(command.name.split(' ').length));
  const group = commands.filter(({ name }) => name.split(' ', 1)[0] === args[0]);
  if (args.includes('--help')) {
    process.stdout.write(usageOf(describeGroup(group.length > 0 ? group : commands)));
    return 0;
  }
  const which = group.length > 0 ? group.map(({ name }) => name).join(', ') : 'one that --help lists';
  const why = args.length === 0 ? 'No command' : 'No such command';
  throw new CannotDo(2, `${why}: use ${which}. See "npm run ops -- --help".`);
}

/** What the help says of several commands. */
function describeGroup(shown: readonly OpsCommand[]): CommandDescription {
  return {
    name: 'ops',
    call: 'npm run ops -- <command>',
    summary: 'What an operator does by hand, on the local run or on a deployed environment.',
    options: commonOptions,
    sections: { Commands: Object.fromEntries(shown.map(({ name, summary }) => [name, summary])) },
    ...common,
  };
}

async function runCommand(command: OpsCommand, args: readonly string[]): Promise<ExitCode> {
  const parsed = parseCommand(command, args);
  if (parsed.kind === 'help') {
    process.stdout.write(usageOf(command));
    return 0;
  }
  const { values, argument } = parsed;
  const place = openPlace(values['environment'], values['region']);
  const { stdin: input, stdout: output, stderr: messages } = process;
  const [json, yes] = [values['json'] === true, values['yes'] === true];
  const terminal = createTerminal({ json, yes, input, output, messages });
  try {
    return await command.run({ place, terminal, values, argument, now: Date.now() });
  } catch (error) {
    throw explainFailure(error, place.where) ?? error;
  } finally {
    place.close();
  }
}

function openPlace(environment: unknown, given: unknown): Place {
  const region = typeof given === 'string' ? readRegion(given) : undefined;
  if (typeof environment === 'string') return openDeployedPlace(readEnvironmentName(environment), region);
  if (region !== undefined) throw new CannotDo(2, '--region needs an --environment: the local run has no region.');
  return openLocalPlace();
}
