import { CannotStart } from '../local/cannot-start.ts';
import { startLocalRun } from '../local/run.ts';
import { followUps } from '../scenes/stories.ts';
import { type PlayedCancel, type PlayedFollowUp, playFollowUps, playStories } from '../scenes/play-demo.ts';
import { CannotDo, type ExitCode, runScript } from './command.ts';
import { createProgress, labelled, paint } from './terminal.ts';

/** `npm run demo`: plays the stories on a new local run. */
const command = {
  name: 'demo',
  call: 'npm run demo --',
  summary:
    'Plays the stories of acme, who cancels jobs by its own externalId, and compares each answer with its story.',
  options: { json: { what: 'one line of JSON instead of text' } },
  exitCodes: { 0: 'every answer is as its story says', 1: 'one is not, or the local run could not start' },
  wrongUsage: 1,
} as const;

await runScript(command, ({ json }) => demo({ json }));

async function demo({ json }: { readonly json: boolean }): Promise<ExitCode> {
  const print = (text: string): void => {
    if (!json) process.stdout.write(`${text}\n`);
  };
  const started = await startLocalRun().catch((error: unknown) => {
    throw error instanceof CannotStart ? new CannotDo(1, error.message, { cause: error }) : error;
  });
  const cancels: PlayedCancel[] = [];
  const followed: PlayedFollowUp[] = [];
  try {
    const { simulator } = started;
    if (simulator === undefined) throw new Error('without another upstream a local run has the simulator');
    const run = { ...started, simulator };
    print(`\n${paint('dim', `acme cancels by its own externalId, on ${run.baseUrl}`)}\n`);
    for await (const cancel of playStories(run)) {
      cancels.push(cancel);
      print(showCancel(cancels.length, cancel));
    }
    print(paint('bold', 'The service completes these in parallel, in about 15 seconds'));
    for (const { externalId, pace } of followUps) print(paint('dim', `      ${externalId}  ${pace}`));
    print('');
    const stopwatch = startStopwatch({ isQuiet: json });
    for await (const followUp of playFollowUps(run)) {
      followed.push(followUp);
      stopwatch.clear();
      print(showFollowUp(cancels.length + followed.length, followUp));
    }
    stopwatch.stop();
  } finally {
    await started.close();
  }
  const scenes = [...cancels, ...followed];
  const ok = scenes.every(({ differences }) => differences.length === 0);
  const cancelCalls = scenes.reduce((sum, { calls }) => sum + (calls['cancel'] ?? 0), 0);
  const verdict = paint('bold', ok ? 'As the stories say' : 'Not as the stories say');
  print(`${verdict}: ${scenes.length} requests, ${cancelCalls} cancel calls to Plangrep.\n`);
  if (json) process.stdout.write(`${JSON.stringify({ ok, cancelCalls, scenes: cancels, followUps: followed })}\n`);
  return ok ? 0 : 1;
}

/** The seconds that pass, on a terminal. */
function startStopwatch({ isQuiet }: { readonly isQuiet: boolean }) {
  const progress = createProgress({
    isTTY: process.stdout.isTTY && !isQuiet,
    write: (text) => process.stdout.write(text),
  });
  const began = Date.now();
  const timer = setInterval(() => progress.show(`      ${Math.round((Date.now() - began) / 1000)} s …`), 1_000);
  return {
    clear: () => progress.clear(),
    stop: () => {
      clearInterval(timer);
      progress.clear();
    },
  };
}

function showCancel(number: number, { title, request, status, fields, calls, differences }: PlayedCancel): string {
  const lines = labelled(12, {
    status: paint(status < 300 ? 'green' : 'yellow', String(status)),
    ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])),
    'to Plangrep': countCalls(calls),
  });
  const sent = `${paint('dim', `${request.method} ${request.path}`)} ${JSON.stringify(request.body)}`;
  return showScene(`${number}  ${paint('bold', title.padEnd(37))}${sent}`, lines, differences);
}

function showFollowUp(
  number: number,
  { title, externalId, timeline, calls, figures, differences }: PlayedFollowUp,
): string {
  const events = timeline.map(({ afterSeconds, what }) => {
    return `${paint('dim', `${afterSeconds.toFixed(1)} s`.padStart(7))}     ${what}`;
  });
  const lines = [...events, ...labelled(12, { 'to Plangrep': countCalls(calls), ...describeFigures(figures) })];
  return showScene(`${number}  ${paint('bold', title)}  ${paint('dim', externalId)}`, lines, differences);
}

function describeFigures(figures: PlayedFollowUp['figures']): Readonly<Record<string, string>> {
  if (figures === undefined) return {};
  const { ranMs, spentMs, creditsDebitedMeanwhile: credits } = figures;
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  const { us, plangrep, person } = spentMs;
  return {
    'job ran': `${seconds(ranMs)}${credits === null ? '' : ` (${credits} credits debited meanwhile)`}`,
    'time spent': `us ${seconds(us)}, Plangrep ${seconds(plangrep)}, a person ${seconds(person)}`,
  };
}

function showScene(heading: string, lines: readonly string[], differences: readonly string[]): string {
  const mark = differences.length === 0 ? paint('green', '✓') : paint('red', '✗');
  const all = [
    ...lines,
    ...differences.map((difference) => `${paint('dim', 'differs'.padEnd(12))}${paint('red', difference)}`),
  ];
  return `${mark} ${heading}\n${all.map((line) => `      ${line}\n`).join('')}`;
}

function countCalls(calls: Readonly<Record<string, number>>): string {
  const parts = Object.entries(calls).filter(([, count]) => count > 0);
  return parts.map(([kind, count]) => `${count} ${kind}`).join(', ') || 'no call';
}
