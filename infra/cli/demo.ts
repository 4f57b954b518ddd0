import { parseArgs, styleText } from 'node:util';
import { CannotStart } from '../local/cannot-start.ts';
import { type FollowedUp, followUpPaces, tellFollowUps } from '../scenes/demo-follow-ups.ts';
import { type Told, tellStory } from '../scenes/demo-story.ts';
import { startLocalRun } from '../local/local-run.ts';

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

const showFollowUp = (number: number, { title, externalId, timeline, calls, differences }: FollowedUp): string =>
  [
    `${differences.length === 0 ? styleText('green', '✓') : styleText('red', '✗')} ${number}  ${bold(title)}  ${dim(externalId)}`,
    ...timeline.map(({ afterSeconds, what }) => `      ${dim(`${afterSeconds.toFixed(1)} s`.padStart(7))}     ${what}`),
    `      ${dim('to Plangrep'.padEnd(12))}${countCalls(Object.fromEntries(Object.entries(calls).filter(([, n]) => n > 0)))}`,
    ...differences.map((difference) => `      ${styleText('red', difference)}`),
    '',
  ].join('\n');

/** A second hand, for a terminal alone. @returns what stops it */
const tick = (): (() => void) => {
  if (!process.stdout.isTTY) return () => undefined;
  const began = Date.now();
  const timer = setInterval(() => {
    process.stdout.write(`\r${dim(`      ${Math.round((Date.now() - began) / 1000)} s …`)}\r`);
  }, 1_000);
  return () => {
    clearInterval(timer);
    process.stdout.write('\r\u001b[K');
  };
};

const tell = async (json: boolean): Promise<boolean> => {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const run = await startLocalRun({ reconcileEveryMs: 1_000 });
  const told: Told[] = [];
  const followed: FollowedUp[] = [];
  try {
    if (!json) print(`\n${dim(`acme cancels by its own externalId, on ${run.baseUrl}`)}\n`);
    for await (const scene of tellStory(run)) {
      told.push(scene);
      if (!json) print(show(told.length, scene));
    }
    if (!json) {
      print(bold('Seen through by the reconciler, side by side, at Plangrep’s pace: some 15 seconds'));
      print(`${followUpPaces.map((pace) => dim(`      ${pace}`)).join('\n')}\n`);
    }
    const stopTicking = json ? () => undefined : tick();
    for await (const followUp of tellFollowUps(run)) {
      followed.push(followUp);
      if (!json) print(showFollowUp(told.length + followed.length, followUp));
    }
    stopTicking();
  } finally {
    await run.close();
  }
  const scenes = [...told, ...followed];
  const isTold = scenes.every(({ differences }) => differences.length === 0);
  const cancels = scenes.reduce((sum, { calls }) => sum + (calls['cancel'] ?? 0), 0);
  if (json) print(JSON.stringify({ ok: isTold, cancelCalls: cancels, scenes: told, followUps: followed }));
  else
    print(
      `${bold(isTold ? 'As told' : 'Not as told')}: ${scenes.length} requests, ${cancels} cancel calls to Plangrep.\n`,
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
