import { createJobDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import { externalIdSchema, type JobId, projectIdSchema, toTimestamp } from '../../../functions/core/identifiers.ts';
import { UNVERIFIED_DAYS, unverifiedUntil } from '../../../functions/core/use-cases/register-job.ts';
import { CannotDo, readAs } from '../command.ts';
import { opsCommand, partnerOption, readJobId, readPartner } from '../ops-command.ts';
import { count, createProgress, labelled, printable, table } from '../terminal.ts';
import { listOwned, type Owner, readJobRecord, releaseOwner } from './job-records.ts';

export const registerJob = opsCommand({
  name: 'job register',
  summary: "Registers a Plangrep job under a partner's externalId.",
  notes: `It asks Plangrep nothing: the registration is unverified, claims nothing and counts for ${UNVERIFIED_DAYS} days. The partner's first cancel verifies it.`,
  options: {
    partner: partnerOption,
    job: { hint: 'JOBID', what: "Plangrep's id of the job", required: true },
    'external-id': { hint: 'X', what: "the partner's own id of the job", required: true },
    project: { hint: 'P', what: "the job's project in Plangrep" },
  },
  async run({ place, terminal, values, now }) {
    const partnerId = readPartner(values.partner);
    const jobId = readJobId('--job', values.job);
    const externalId = readAs(externalIdSchema, '--external-id', values['external-id']);
    const { project } = values;
    const given = project === undefined ? undefined : readAs(projectIdSchema, '--project', project);
    const directory = createJobDirectory(place.dynamodb, await place.table('JobDirectory'));
    const owner = await directory.readOwner(jobId);
    if (owner !== undefined && (owner.partnerId !== partnerId || owner.externalId !== externalId)) {
      throw new CannotDo(
        1,
        `${jobId} already belongs to ${owner.partnerId}, under another registration: see "job show".`,
      );
    }
    const found = await directory.find(partnerId, externalId);
    const known = found.items.find((entry) => entry.jobId === jobId);
    const registeredAt = known?.registeredAt ?? toTimestamp(now);
    const projectId = given ?? known?.projectId;
    const isVerified = known?.verifiedAt !== undefined;
    const shown = isVerified ? known : { jobId, registeredAt, projectId, expiresAt: unverifiedUntil(now) };
    if (!isVerified) await directory.keepUnverified(partnerId, externalId, shown);
    const state = isVerified ? `verified at ${known.verifiedAt}` : 'unverified until its first cancel';
    terminal.show({ partnerId, externalId, ...shown }, [
      `${jobId} is registered as ${printable(externalId)} of ${partnerId} (${place.environment}) since ${registeredAt}, ${state}.`,
    ]);
    return 0;
  },
});

export const showJob = opsCommand({
  name: 'job show',
  summary: 'Shows whose a job is: its owner, when Plangrep confirmed that, and who owned it before.',
  argument: { hint: 'JOBID', what: "Plangrep's id of the job" },
  options: {},
  async run({ place, terminal, argument }) {
    const jobId = readJobId('JOBID', argument);
    const { owner, released } = await readJobRecord(place, jobId);
    if (owner === undefined && released.length === 0) {
      terminal.show({ jobId, owner: null, released: [] }, [
        `No partner owns ${jobId} (${place.environment}). A registration that is not verified yet claims no job.`,
      ]);
      return 1;
    }
    const rows = released.map(({ partnerId, externalId, releasedAt, releasedBy, why }) => [
      releasedAt,
      partnerId,
      shownName(externalId),
      printable(releasedBy),
      printable(why),
    ]);
    const history = rows.length === 0 ? [] : ['', ...table(['RELEASED', 'FROM', 'EXTERNALID', 'BY', 'WHY'], rows)];
    terminal.show({ jobId, owner: owner ?? null, released }, [
      ...(owner === undefined ? [`No partner owns ${jobId} now (${place.environment}).`] : describeOwner(jobId, owner)),
      ...history,
    ]);
    return 0;
  },
});

function shownName(externalId: string | undefined): string {
  return externalId === undefined ? 'erased' : printable(externalId);
}

function describeOwner(jobId: JobId, owner: Owner): readonly string[] {
  return labelled(11, {
    job: jobId,
    partner: owner.partnerId,
    externalId: shownName(owner.externalId),
    project: owner.projectId ?? 'not known',
    registered: owner.registeredAt,
    verified: owner.verifiedAt ?? 'no: from before registrations were verified, so it claims nothing',
  });
}

const whyOption = {
  hint: 'TEXT',
  what: 'the reason, for the record: a ticket number, no personal data',
  required: true,
} as const;

export const releaseJob = opsCommand({
  name: 'job release',
  summary: 'Takes a job from its owner, so that the partner whose job it is at Plangrep can register it.',
  notes:
    'On record: who released it, when and why stay in the directory ("job show"). A cancellation under way is seen through. If Plangrep still shows the job in a project of the former owner, it can register the job again.',
  argument: { hint: 'JOBID', what: "Plangrep's id of the job" },
  options: { why: whyOption },
  async run({ place, terminal, argument, values, now }) {
    const jobId = readJobId('JOBID', argument);
    const { owner } = await readJobRecord(place, jobId);
    if (owner === undefined) throw new CannotDo(1, `No partner owns ${jobId} (${place.environment}).`);
    const { partnerId, externalId } = owner;
    await terminal.confirm(`Release ${jobId} from ${partnerId} (${place.environment})?`);
    const release = { releasedAt: toTimestamp(now), why: values.why };
    const released = await releaseOwner(place, owner, release);
    if (released === 'owned_by_another') {
      throw new CannotDo(1, `${jobId} got another owner meanwhile: look with "job show", and run the command again.`);
    }
    terminal.show({ jobId, partnerId, externalId, ...release }, [
      `${jobId} is released from ${partnerId} (${place.environment}). The record of it stays.`,
    ]);
    return 0;
  },
});

export const releaseProject = opsCommand({
  name: 'project release',
  summary: "Takes every job of a project from a partner: for a project that is another partner's now.",
  notes:
    'Like "job release" for each of them. First take the project from the partner\'s record ("partner set"): what the record still names, the partner can register again. It reads the whole directory, and goes on where an interrupted run ended.',
  argument: { hint: 'PROJECT', what: "Plangrep's id of the project" },
  options: { partner: partnerOption, why: whyOption },
  async run({ place, terminal, argument, values, now }) {
    const projectId = readAs(projectIdSchema, 'PROJECT', argument);
    const partnerId = readPartner(values.partner);
    const owned = await listOwned(place, partnerId, projectId);
    if (owned.length === 0) {
      throw new CannotDo(1, `${partnerId} owns no job of ${projectId} (${place.environment}).`);
    }
    const jobs = owned.length === 1 ? 'one job' : `${count(owned.length)} jobs`;
    await terminal.confirm(`Release ${jobs} of ${projectId} from ${partnerId} (${place.environment})?`);
    const release = { releasedAt: toTimestamp(now), why: values.why };
    const progress = createProgress(process.stderr);
    for (const [n, owner] of owned.entries()) {
      progress.show(`${count(n)} of ${jobs} released`);
      await releaseOwner(place, owner, release);
    }
    progress.clear();
    terminal.show({ partnerId, projectId, released: owned.length, ...release }, [
      `${jobs} of ${projectId} ${owned.length === 1 ? 'is' : 'are'} released from ${partnerId} (${place.environment}).`,
    ]);
    return 0;
  },
});
