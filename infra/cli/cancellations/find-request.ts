import { CannotDo } from '../command.ts';
import { describeLogsQuery, logsQueryOf } from '../logs/logs-query.ts';
import { environmentOption, opsCommand, readPartner } from '../ops-command.ts';
import { paint, printable, table } from '../terminal.ts';
import { type Found, type FoundStream, type JobStanding, searchRecords } from './search-records.ts';
import { type CheckedCancellation, linesOf, readChecked, toDocument } from './show-cancellation.ts';

interface Told extends FoundStream {
  /** Absent: the job has no cancellation. */
  readonly checked: CheckedCancellation | undefined;
}

/** The most cancellations that are told in full. */
const TOLD = 20;

export const findRequest = opsCommand({
  name: 'find',
  summary:
    'Tells the whole story behind an id: what is on record, when, who spent the time, and how to see the log lines.',
  notes:
    'The id may be a requestId, a jobId, an externalId, the id of an event or an Idempotency-Key. A request that changed nothing (a GET, a 4xx before any job was found, a registration) is in the log lines only.',
  argument: { hint: 'ID', what: 'as the caller has it' },
  options: { partner: { hint: 'acme', what: 'only what is this partner’s' } },
  async run({ place, terminal, values, argument, now }) {
    if (argument.trim() === '') throw new CannotDo(2, 'ID must not be empty.');
    const partner = values.partner === undefined ? undefined : readPartner(values.partner);
    const found = await searchRecords(place, argument, partner, now);
    const told: Told[] = await Promise.all(
      found.streams.slice(0, TOLD).map(async (one) => ({ ...one, checked: await readChecked(place, one.name) })),
    );
    const ids = idsOf(argument, told);
    const logs = await logsQueryOf(place, ids, timesOf(found, told), now);
    const isNothing = told.length === 0 && found.refusals.length === 0 && found.unreadable.length === 0;
    const isUnreadable = found.unreadable.length > 0;
    const isBroken = told.some(({ checked }) => checked !== undefined && checked.findings.length > 0);
    terminal.show(
      {
        cancellations: told.map(({ name, as, standing, checked }) => ({
          foundAs: [...as],
          ...(checked === undefined ? { ...name, standing } : toDocument(name, checked)),
        })),
        refusals: found.refusals,
        unreadable: found.unreadable,
        complete: found.streams.length <= TOLD,
        logs,
      },
      [
        ...(isNothing ? [nothingFound(found, place.environment)] : []),
        ...told.flatMap((one) => [...describeOne(one, now), '']),
        ...describeRefusals(found),
        ...found.unreadable.map((key) => paint('red', `A record under this id cannot be read: ${printable(key)}`)),
        ...describeRest(found, environmentOption(place)),
        ...describeLogsQuery(place, ids, logs, now),
      ],
    );
    return isNothing || isUnreadable || isBroken ? 1 : 0;
  },
});

function nothingFound({ partners }: Found, environment: string): string {
  return [
    `No table has anything under this id (${environment}): no cancellation, no registered job, no refused request.`,
    `As an externalId and as a key it was looked up for ${namesOf(partners)}; for one that was removed, pass --partner.`,
  ].join('\n');
}

function namesOf(partners: readonly string[]): string {
  return partners.length > 0 && partners.length <= 5 ? partners.join(', ') : `${partners.length} partners`;
}

function describeOne({ name, as, standing, checked }: Told, now: number): readonly string[] {
  const heading = `Found as ${[...as].join(' and ')}`;
  if (checked !== undefined) return [heading, ...linesOf(name, checked, now)];
  return [heading, `${name.jobId} of ${name.partnerId} ${describeStanding(standing)} and has no cancellation.`];
}

function describeStanding(standing: JobStanding | undefined): string {
  switch (standing) {
    case 'registered':
      return 'is registered';
    case 'unverified':
      return 'is registered, is not confirmed by Plangrep,';
    case 'released':
      return 'was registered, was released from it,';
    // What the log had is gone, or a request with the key failed on its way.
    case 'bound':
    case undefined:
      return 'was reached by a request';
  }
}

function describeRefusals({ refusals }: Found): readonly string[] {
  if (refusals.length === 0) return [];
  const rows = refusals.map(({ at, partnerId, door, requestId, why, jobId = '', as }) => [
    at,
    partnerId,
    door,
    requestId,
    why,
    jobId,
    as,
  ]);
  return [...table(['REFUSED AT', 'PARTNER', 'DOOR', 'REQUEST', 'WHY', 'JOB', 'FOUND AS'], rows), ''];
}

function describeRest({ streams }: Found, environment: string): readonly string[] {
  if (streams.length <= TOLD) return [];
  const rest = streams.slice(TOLD).map(({ name }) => `${name.jobId} (${name.partnerId})`);
  return [`And ${rest.length} more, each with "npm run ops -- find JOBID${environment}": ${rest.join(', ')}`, ''];
}

/** Texts that the lines contain. What a partner wrote is in none of them: for an externalId its jobs stand in. */
function idsOf(id: string, told: readonly Told[]): readonly string[] {
  const jobs = told.map(({ name }) => name.jobId);
  const isLogged = told.length === 0 || told.some(({ as }) => as.has('requestId') || as.has('jobId'));
  const requests = told.flatMap(({ checked }) => checked?.view?.state.requestId ?? []);
  return [...new Set([...(isLogged ? [id] : []), ...jobs, ...requests])].map(printable);
}

function timesOf({ refusals }: Found, told: readonly Told[]): readonly string[] {
  const views = told.flatMap(({ checked }) => checked?.view ?? []);
  const records = views.flatMap(({ events, joined }) => [...events, ...joined].map(({ at }) => at));
  return [...records, ...views.map(({ lastLookedAt }) => lastLookedAt), ...refusals.map(({ at }) => at)];
}
