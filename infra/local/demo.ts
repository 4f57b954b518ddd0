import { parseArgs, styleText } from 'node:util';
import { CannotStart } from './cannot-start.ts';
import { type Told, tellStory } from './demo-story.ts';
import { startLocalRun } from './local-run.ts';

/** `npm run demo`: the story on a local run of its own. Exits 0 only if every answer is what the story says. */
const bold = (text: string): string => styleText('bold', text);
const dim = (text: string): string => styleText('dim', text);

const countCalls = (calls: Readonly<Record<string, number>>): string => {
  const parts = Object.entries(calls).map(([kind, count]) => `${count} ${kind}`);
  return parts.length > 0 ? parts.join(', ') : 'no call';
};

const show = (number: number, { title, request, status, fields, calls, differences }: Told): string => {
  const isTold = differences.length === 0;
  const mark = isTold ? styleText('green', '✓') : styleText('red', '✗');
  const line = (name: string, value: string): string => `      ${dim(name.padEnd(12))}${value}`;
  return [
    `${mark} ${number}  ${bold(title.padEnd(37))}${dim(`${request.method} ${request.path}`)} ${JSON.stringify(request.body)}`,
    line('status', styleText(status < 300 ? 'green' : 'yellow', String(status))),
    ...Object.entries(fields).map(([name, value]) => line(name, String(value))),
    line('to Plangrep', countCalls(calls)),
    ...differences.map((difference) => line('differs', styleText('red', difference))),
    '',
  ].join('\n');
};

const tell = async (json: boolean): Promise<boolean> => {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const run = await startLocalRun();
  const told: Told[] = [];
  try {
    if (!json) print(`\n${dim(`acme cancels by its own externalId, on ${run.baseUrl}`)}\n`);
    for await (const scene of tellStory(run)) {
      told.push(scene);
      if (!json) print(show(told.length, scene));
    }
  } finally {
    await run.close();
  }
  const isTold = told.every(({ differences }) => differences.length === 0);
  const cancels = told.reduce((sum, { calls }) => sum + (calls['cancel'] ?? 0), 0);
  if (json) print(JSON.stringify({ ok: isTold, cancelCalls: cancels, scenes: told }));
  else
    print(
      `${bold(isTold ? 'As told' : 'Not as told')}: ${told.length} requests, ${cancels} cancel calls to Plangrep.\n`,
    );
  return isTold;
};

try {
  const { json } = parseArgs({ options: { json: { type: 'boolean', default: false } } }).values;
  process.exitCode = (await tell(json)) ? 0 : 1;
} catch (error) {
  const isUsage = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  if (!isUsage && !(error instanceof CannotStart)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
