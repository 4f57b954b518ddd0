import type { CancellationClient, CancelResult, ManyProgress, Planned } from '../../../client/src/index.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { CannotDo, type ExitCode, readApiUrl } from '../command.ts';
import { opsCommand, type OpsRequest, partnerOption, readPartner } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { refuseAnotherApi } from '../places/refuse-another-api.ts';
import { count, duration, paint, printable, table } from '../terminal.ts';
import { actForPartner } from './act-for-partner.ts';
import { checkResultsPath, countBy, describeOrders, type OrderReport, writeResults } from './describe-orders.ts';
import { findOthers } from './find-others.ts';
import { type KeptPlan, type ManyJournal, openJournal, tokenOf } from './many-journal.ts';
import { type OrdersFile, readOrders } from './read-orders.ts';

const options = {
  file: { hint: 'orders.csv', what: 'UTF-8, with the heading externalId or externalId,reason', required: true },
  partner: partnerOption,
  url: { hint: 'URL', what: "the API of a deployed environment (default: CANCELLATION_URL; the local run's)" },
  preview: { what: 'show what would be done, and end' },
  token: { hint: 'TOKEN', what: 'run exactly the preview that showed this token, without asking' },
  results: { hint: 'FILE', what: 'write one line for each order to a .csv or .json' },
} as const;

export const cancelMany = opsCommand({
  name: 'cancel',
  summary: 'Cancels many jobs of a partner by a file of externalIds: a preview first, then exactly what it showed.',
  notes: `It acts as the partner, with a credential that it revokes at the end, and stays behind single requests. A job that is submitted
after the preview is never reached. Plan and results are kept in FILE.cancel.jsonl: run the same command again, after a
kill too, and it continues. To preview anew, move that file away.`,
  options,
  async run(request) {
    const { place, values } = request;
    const partnerId = readPartner(values.partner);
    if (values.results !== undefined) checkResultsPath(values.results);
    const url = await readUrl(place, values.url);
    const file = readOrders(values.file);
    const journal = openJournal(values.file);
    const stop = new AbortController();
    const interrupt = (): void => stop.abort(new CannotDo(1, 'Interrupted: run the same command again to continue.'));
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    try {
      const kept = journal.kept?.plan;
      if (kept !== undefined) refuseAnother(kept, { file, journal, partnerId, environment: place.environment });
      return await actForPartner({ place, partnerId, url, journal }, (client) =>
        work({ ...request, file, journal, client, partnerId, signal: stop.signal }),
      );
    } finally {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      journal.close();
    }
  },
});

async function readUrl(place: Place, given: string | undefined): Promise<URL> {
  if (given === undefined && place.apiUrl !== undefined) return new URL(place.apiUrl);
  const url = readApiUrl(given, { name: 'cancel', call: 'npm run ops -- cancel' });
  if (place.environment !== 'local') await refuseAnotherApi(place, url);
  return url;
}

/** @throws CannotDo (2) when a plan is kept that is not of this file, partner and environment */
function refuseAnother(
  kept: KeptPlan,
  { file, journal, ...asked }: Pick<KeptPlan, 'environment' | 'partnerId'> & { file: OrdersFile; journal: ManyJournal },
): void {
  const why =
    kept.partnerId !== asked.partnerId || kept.environment !== asked.environment
      ? `has a plan for ${kept.partnerId} (${kept.environment})`
      : kept.fileHash !== file.fileHash
        ? 'has the plan of a file that was changed since its preview'
        : undefined;
  if (why !== undefined) throw new CannotDo(2, `${journal.path} ${why}. Move it away to preview anew.`);
}

interface Work extends OpsRequest<typeof options> {
  readonly file: OrdersFile;
  readonly journal: ManyJournal;
  readonly client: CancellationClient;
  readonly partnerId: ReturnType<typeof readPartner>;
  readonly signal: AbortSignal;
}

async function work(given: Work): Promise<ExitCode> {
  const { place, terminal, values, file, journal, client, partnerId, signal } = given;
  const { token, plan } = journal.kept ?? (await preview(given));
  if (values.token !== undefined && values.token !== token) {
    throw new CannotDo(2, `--token is not that of the plan in ${journal.path}, which is ${token}.`);
  }
  const missing = new Set(plan.orders.flatMap(({ state, externalId }) => (state === 'not_found' ? [externalId] : [])));
  const others = await findOthers(place, partnerId, missing);
  const planned = client.continueMany({ token, orders: plan.orders }, journal.results);
  const before = describeOrders(plan.orders, journal.results, others);
  const show = (reports: readonly OrderReport[], stage: Stage): void => {
    if (values.results !== undefined) writeResults(values.results, reports);
    const [shown, results] = [countBy(reports, 'preview'), countBy(reports, 'result')];
    const all = { partnerId, environment: place.environment, token, at: plan.at, repeated: file.repeated };
    terminal.show(
      { ...all, preview: shown, results, orders: reports },
      describe(given, { token, plan }, reports, stage),
    );
  };
  const { will_cancel: wanted, unresolved } = planned.summary;
  const left = wanted - countEnded(before);
  if (values.preview || left === 0) {
    show(before, left === 0 ? 'complete' : 'preview');
    return values.preview || unresolved === 0 ? 0 : 1;
  }
  if (values.token === undefined) {
    if (!terminal.json) show(before, 'preview');
    await terminal.confirm(
      `Cancel ${left === 1 ? 'one job' : `${count(left)} jobs`} of ${partnerId} (${place.environment})?`,
    );
  }
  const reports = describeOrders(plan.orders, await run(given, planned, signal), others);
  show(reports, 'results');
  return countEnded(reports) === wanted && unresolved === 0 ? 0 : 1;
}

async function preview({ terminal, place, file, journal, client, partnerId, signal }: Work): Promise<{
  readonly token: string;
  readonly plan: KeptPlan;
}> {
  const onProgress = showProgress(terminal, 'previewed');
  const planned = await client.cancelMany(file.orders, { signal, onProgress }).finally(() => terminal.progress.clear());
  if (planned.kind !== 'planned') throw new CannotDo(1, `No preview (${planned.kind}): ${planned.detail}`);
  const { environment } = place;
  const at = toTimestamp(Date.now());
  const plan = { environment, partnerId, fileHash: file.fileHash, at, orders: planned.orders };
  const token = tokenOf(plan);
  journal.append({ kind: 'plan', token, plan });
  return { token, plan };
}

function run({ terminal, journal }: Work, planned: Planned, signal: AbortSignal): ReturnType<Planned['run']> {
  const onProgress = showProgress(terminal, 'cancelled');
  return planned
    .run({ signal, onProgress, onResult: (result) => journal.append({ kind: 'result', ...result }) })
    .finally(() => terminal.progress.clear());
}

/** A bar with the pace and the time that is left. */
function showProgress({ progress }: Work['terminal'], what: string): (progress: ManyProgress) => void {
  const began = performance.now();
  let first: number | undefined;
  return ({ done, of }) => {
    first ??= done - 1;
    const perMs = (done - first) / (performance.now() - began);
    const bar = '█'.repeat(Math.floor((done / of) * 30)).padEnd(30, '░');
    const pace = `${(perMs * 1000).toFixed(1)}/s, ${duration((of - done) / perMs)} left`;
    progress.show(`${bar} ${count(done)} of ${count(of)} ${what}, ${pace}`);
  };
}

/** Only an end counts: to run the command again shows how the others ended, or repeats them. */
const ENDS: ReadonlySet<string | null> = new Set<CancelResult['kind']>(['cancelled', 'tooLate', 'unknownToPlangrep']);

function countEnded(reports: readonly OrderReport[]): number {
  return reports.filter(({ result }) => ENDS.has(result)).length;
}

/** What the text shows: before a run, after one, or when nothing is left to run. */
type Stage = 'preview' | 'results' | 'complete';

/** What the text shows of orders that are left alone. */
const MOST_SHOWN = 20;

function describe(
  { place, partnerId, file, journal }: Work,
  { token, plan }: { readonly token: string; readonly plan: KeptPlan },
  reports: readonly OrderReport[],
  stage: Stage,
): readonly string[] {
  const rows = (counts: Readonly<Record<string, number>>): string[] =>
    table(
      [],
      Object.entries(counts).map(([value, times]) => [`  ${value}`, count(times)]),
    );
  const ambiguous = reports.filter(({ preview: state }) => state === 'ambiguous');
  const doubtful = ambiguous
    .slice(0, MOST_SHOWN)
    .map(({ externalId, candidates }) => [`  ${externalId}`, candidates.join(' ')]);
  const repeated = file.repeated
    .slice(0, MOST_SHOWN)
    .map(({ line, externalId }) => `  line ${line}  ${printable(externalId)}`);
  const unresolved = reports.filter(({ preview: state }) => state === 'unresolved').length;
  const open = stage === 'results' ? reports.filter(({ result }) => result !== null).length - countEnded(reports) : 0;
  const whose = `of ${partnerId} (${place.environment})`;
  const part = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [paint('bold', title), ...lines, ''];
  const previewed =
    stage === 'results'
      ? []
      : [
          ...part(`Preview of ${plan.at}: ${count(reports.length)} orders ${whose}`, rows(countBy(reports, 'preview'))),
          ...part(`Ambiguous: cancel one by its jobId (${count(ambiguous.length)})`, table([], doubtful)),
          ...part(`Lines that repeat an externalId, and were left out (${count(file.repeated.length)})`, repeated),
        ];
  return [
    ...previewed,
    ...part(`Results ${whose}`, rows(countBy(reports, 'result'))),
    ...(open === 0
      ? []
      : [`${count(open)} not ended: run the same command again to see the end, or to repeat what failed.`, '']),
    ...(unresolved === 0
      ? []
      : [
          `${count(unresolved)} unresolved: the preview got no answer about them, and nothing is done to them. To preview them anew, move ${journal.path} away.`,
          '',
        ]),
    `Kept in ${journal.path}${stage === 'preview' ? `. To run exactly this, without being asked: --token ${token}` : ''}`,
  ];
}
