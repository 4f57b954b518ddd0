import { endProcess, usageOf } from '../../infra/cli/command.ts';
import { paint } from '../../infra/cli/terminal.ts';
import { benchCommand, readOptions } from './options.ts';
import { runBench } from './run-bench.ts';

/** `npm run bench`: how fast the service is and what it costs, beside other designs. */
await endProcess(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usageOf(benchCommand));
    return 0;
  }
  try {
    await runBench(options, process.stdout);
    return 0;
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`\n${paint('red', 'could not measure:')} ${why}\n`);
    return 1;
  }
}, 1);
