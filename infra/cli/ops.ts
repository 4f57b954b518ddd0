import { join } from 'node:path';
import { verifyAuditTrail } from './verify-audit-trail.ts';
import { listOpenCancellations, showCancellation } from './cancellations.ts';
import { CannotDo, explain } from './cannot-do.ts';
import { type Command, commandsUsage, commandUsage, type ExitCode, parseCommand } from './command.ts';
import { listDeadLetters, redriveDeadLetters } from './dlq.ts';
import { registerJob } from './job.ts';
import { issuePartnerKey, listPartnerKeys, revokePartnerKey } from './partner-keys.ts';
import { setPartner } from './partner.ts';
import type { Place } from './place.ts';
import { putPlangrepKey } from './plangrep-key.ts';
import { createTerminal } from './terminal.ts';

/** `npm run ops`: what an operator does by hand, on the local run or on a deployed environment. */
const commands: readonly Command[] = [
  issuePartnerKey,
  listPartnerKeys,
  revokePartnerKey,
  setPartner,
  registerJob,
  listOpenCancellations,
  showCancellation,
  listDeadLetters,
  redriveDeadLetters,
  putPlangrepKey,
  verifyAuditTrail,
];

/** Each brings its clients along: loaded when it is the one. */
const openPlace = async (environment: string | undefined, region: string | undefined): Promise<Place> => {
  if (region !== undefined && !/^[a-z0-9-]{1,30}$/.test(region)) {
    throw new CannotDo(2, `--region must be a region like eu-central-1, not ${JSON.stringify(region)}.`);
  }
  if (environment !== undefined) {
    const { openDeployedPlace, readEnvironmentName } = await import('./deployed-place.ts');
    return openDeployedPlace(readEnvironmentName(environment), region);
  }
  if (region !== undefined) throw new CannotDo(2, '--region goes with an --environment: the local run has none.');
  const { openLocalPlace } = await import('./local-place.ts');
  return openLocalPlace(join('.local', 'credentials.json'));
};

const runCommand = async (command: Command, args: readonly string[]): Promise<ExitCode> => {
  const { environment, region, json, yes, help, ...given } = parseCommand(command, args);
  if (help) {
    process.stdout.write(commandUsage(command));
    return 0;
  }
  const place = await openPlace(environment, region);
  const { stdin: input, stdout: output, stderr: messages } = process;
  const terminal = createTerminal({ json, yes, input, output, messages });
  try {
    return await command.run({ place, terminal, now: Date.now(), ...given });
  } catch (error) {
    throw explain(error, place.where) ?? error;
  } finally {
    place.close();
  }
};

const run = (args: readonly string[]): Promise<ExitCode> | ExitCode => {
  const words = args.slice(0, 2).join(' ');
  const command = commands.find(({ name }) => name === words);
  if (command !== undefined) return runCommand(command, args.slice(2));
  const group = commands.filter(({ name }) => name.split(' ', 1)[0] === args[0]);
  if (args.includes('--help')) {
    process.stdout.write(commandsUsage(group.length > 0 ? group : commands));
    return 0;
  }
  const which = group.length > 0 ? group.map(({ name }) => name).join(', ') : 'one of those that --help lists';
  throw new CannotDo(
    2,
    `${args.length === 0 ? 'No command' : 'No such command'}: say ${which}. See "npm run ops -- --help".`,
  );
};

// Whoever read our output may have left; the exit code still tells.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.exitCode = error instanceof CannotDo ? error.exitCode : 2;
  if (error instanceof CannotDo) process.stderr.write(`${error.message}\n`);
  else console.error(error); // A bug.
}
