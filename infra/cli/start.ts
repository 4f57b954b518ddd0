import { join } from 'node:path';
import { CannotStart } from '../local/cannot-start.ts';
import { startLocalRun } from '../local/local-run.ts';
import { readStartOptions, usage } from './start-options.ts';
import { welcome } from './welcome.ts';

/** `npm start`: the service on this machine, until Ctrl-C. */
const credentialsPath = join('.local', 'credentials.json');

// Until all is up there is nothing to put in order: containers end with this process.
let end = (): void => process.exit(0);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end());
// Whoever read our output may have left; the service goes on.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

try {
  const options = readStartOptions(process.argv.slice(2), process.env);
  if (options.kind === 'help') {
    process.stdout.write(usage);
    process.exit(0);
  }
  const { json, logs, dataDir, ...wished } = options;
  const onLog = logs ? (line: string) => void process.stderr.write(`${line}\n`) : undefined;
  const run = await startLocalRun({ ...wished, dataDir, onLog, credentialsPath });
  end = () => {
    end = () => process.exit(130); // A second Ctrl-C does not wait.
    run.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  const { baseUrl, plangrepUrl, partners, endpoints } = run;
  const asJson = { baseUrl, plangrepUrl, endpoints, partners, credentialsPath };
  process.stdout.write(json ? `${JSON.stringify(asJson)}\n` : `\n${welcome(run, credentialsPath, dataDir)}`);
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
