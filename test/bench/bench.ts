import { endProcess, usageOf } from '../../infra/cli/command.ts';
import { paint } from '../../infra/cli/terminal.ts';
import { describeBench, readOptions } from './options.ts';
import { benchParts } from './parts.ts';
import { runBench } from './run-bench.ts';

/** `npm run bench`: how fast and at what cost, beside what others would deploy. */
await endProcess(async () => {
  const options = readOptions(process.argv.slice(2), benchParts);
  if (options === undefined) {
    process.stdout.write(usageOf(describeBench(benchParts)));
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
