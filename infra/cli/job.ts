import { createJobDirectory } from '../../functions/adapters/dynamodb/job-directory.ts';
import { externalIdSchema, projectIdSchema, toTimestamp } from '../../functions/core/identifiers.ts';
import { CannotDo } from './cannot-do.ts';
import type { Command } from './command.ts';
import { partnerOption, readAs, readJobId, readPartner } from './read-option.ts';
import { printable } from './terminal.ts';

export const registerJob: Command = {
  name: 'job register',
  summary: "Puts a Plangrep job behind a partner's externalId.",
  notes: 'As at the doors: the first registration stands, and a job belongs to one partner and one externalId.',
  options: {
    partner: partnerOption,
    job: { hint: 'JOBID', what: "Plangrep's id of the job", required: true },
    'external-id': { hint: 'X', what: "the partner's own id of it", required: true },
    project: { hint: 'P', what: "the job's project in Plangrep" },
  },
  async run(request) {
    const { place, terminal, required, option, now } = request;
    const partnerId = readPartner(request);
    const jobId = readJobId('--job', required('job'));
    const externalId = readAs(externalIdSchema, '--external-id', required('external-id'));
    const project = option('project');
    const projectId = project === undefined ? undefined : readAs(projectIdSchema, '--project', project);
    const directory = createJobDirectory(place.dynamodb, await place.table('JobDirectory'));
    const registered = await directory.register(partnerId, externalId, {
      jobId,
      registeredAt: toTimestamp(now),
      projectId,
    });
    if (registered.kind === 'taken') {
      throw new CannotDo(1, `${jobId} is registered already, for another partner or another externalId.`);
    }
    const { registeredAt } = registered.entry;
    terminal.show({ partnerId, externalId, ...registered.entry }, [
      `${jobId} stands behind ${printable(externalId)} of ${partnerId} (${place.environment}) since ${registeredAt}.`,
    ]);
    return 0;
  },
};
