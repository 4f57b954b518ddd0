import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { createPartners } from '../../../functions/adapters/dynamodb/partners.ts';
import { toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import type { PartnerId } from '../../../functions/core/identifiers.ts';
import { RecordUnreadable } from '../../../functions/core/report.ts';
import { CannotDo } from '../command.ts';
import { environmentOption, opsCommand, type OpsRequest, partnerOption, readPartner } from '../ops-command.ts';
import type { Place } from '../places/place.ts';
import { confirmShared, describeProjects, type Projects, readProjects } from './partner-projects.ts';
import { createUsageKeys, describePlan, type NamedPlan, planOption } from './usage-keys.ts';

export const setPartner = opsCommand({
  name: 'partner set',
  summary: 'Changes a partner: the Plangrep projects whose jobs are its own, or what it may send.',
  notes: `The projects given replace those that were there; --projects '' leaves none, and a partner without projects reaches no
job. --projects any is for an organization with one partner: every job is its own. A new plan's requests of the day are
counted from 0, and for a moment before it holds, requests get 403.`,
  options: {
    partner: partnerOption,
    projects: { hint: 'proj_a,proj_b', what: "the partner's own projects in Plangrep, or any, or none" },
    plan: planOption,
  },
  async run(request) {
    const { place, terminal, values } = request;
    const partnerId = readPartner(values.partner);
    if (values.projects === undefined && values.plan === undefined) {
      throw new CannotDo(2, '"partner set" needs --projects, --plan or both.');
    }
    const projects = values.projects === undefined ? undefined : readProjects(values.projects);
    const plan = values.plan === undefined ? undefined : await createUsageKeys(place).planNamed(values.plan);
    const projectsBefore = projects === undefined ? undefined : await writeProjects(request, partnerId, projects);
    const planBefore = plan === undefined ? undefined : await changePlan(request, partnerId, plan);
    const who = `${partnerId} (${place.environment})`;
    terminal.show({ partnerId, projects, before: projectsBefore, plan, planBefore }, [
      ...(projects === undefined ? [] : [`${who}: ${describeProjects(projects)}`]),
      ...(plan === undefined ? [] : [`${who}: ${describePlan(plan)}; before: ${planBefore?.name ?? 'none'}`]),
    ]);
    return 0;
  },
});

/** @returns those before */
async function writeProjects(
  { place, terminal, now }: Pick<OpsRequest, 'place' | 'terminal' | 'now'>,
  partnerId: PartnerId,
  projects: Projects,
): Promise<Projects | 'unreadable'> {
  const before = await readAccess(place, partnerId, now);
  const dropped = projects === 'any' ? [] : projectsOf(before).filter((one) => !projects.includes(one));
  if (dropped.length > 0) {
    await terminal.confirm(
      `Drop ${dropped.join(', ')} from ${partnerId} (${place.environment})? Within 60 s it no longer reaches the jobs there.`,
    );
  }
  await confirmShared({ place, terminal, now }, partnerId, projects);
  await place.dynamodb.send(
    new UpdateItemCommand({
      TableName: await place.table('Partners'),
      Key: toItem({ pk: `partner#${partnerId}` }),
      UpdateExpression: 'SET partnerId = :partnerId, projects = :projects',
      ExpressionAttributeValues: toItem({ ':partnerId': partnerId, ':projects': projects }),
    }),
  );
  return before;
}

/** Of a malformed record nothing is known: a new one replaces it. */
async function readAccess(place: Place, partnerId: PartnerId, now: number): Promise<Projects | 'unreadable'> {
  const partners = createPartners(place.dynamodb, await place.table('Partners'), { now: () => now });
  try {
    const access = await partners.accessOf(partnerId);
    return access.kind === 'any' ? 'any' : access.projects;
  } catch (error) {
    if (!(error instanceof RecordUnreadable)) throw error;
    return 'unreadable';
  }
}

/** In words for a question. */
function projectsOf(projects: Projects | 'unreadable'): readonly string[] {
  if (projects === 'unreadable') return ['whatever its malformed record holds'];
  return projects === 'any' ? ['"any"'] : projects;
}

/** @returns the one before, if it had one */
async function changePlan(
  { place }: Pick<OpsRequest, 'place'>,
  partnerId: PartnerId,
  plan: NamedPlan,
): Promise<NamedPlan | undefined> {
  const usageKeys = createUsageKeys(place);
  const before = await usageKeys.find(partnerId);
  if (before === undefined) {
    const add = `npm run ops -- partner add --partner ${partnerId}${environmentOption(place)}`;
    throw new CannotDo(1, `${partnerId} (${place.environment}) has no usage plan yet: "${add}" gives it one.`);
  }
  await usageKeys.put(partnerId, plan);
  return before.plan;
}
