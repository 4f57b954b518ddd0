import { styleText } from 'node:util';
import { BadOption, readOptions, usage } from './options.ts';
import { benchParts } from './parts.ts';
import { runBench } from './run-bench.ts';

/** `npm run bench`: how fast and at what cost, beside what others would deploy. */
try {
  const options = readOptions(process.argv.slice(2), benchParts);
  if (options === undefined) process.stdout.write(usage(benchParts));
  else await runBench(options, (text) => void process.stdout.write(text));
} catch (error) {
  if (error instanceof BadOption) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  } else {
    process.stderr.write(
      `\n${styleText('red', 'could not measure:')} ${String(error instanceof Error ? error.stack : error)}\n`,
    );
    process.exitCode = 1;
  }
}
