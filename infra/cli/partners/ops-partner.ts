import { DeleteItemCommand, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { toItem, write } from '../../../functions/adapters/dynamodb/table-client.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import { defaultPlan } from '../../blueprint/usage-plans.ts';
import { readStoredEndpoint, removeEndpoint } from './stored-endpoint.ts';
import { CannotDo } from '../command.ts';
import { environmentOption, opsCommand, partnerOption, readPartner } from '../ops-command.ts';
import { type Cell, count, labelled, table } from '../terminal.ts';
import { confirmShared, describeProjects, projectsOfNewPartner } from './partner-projects.ts';
import { readPartners } from './read-partners.ts';
import { createUsageKeys, describePlan, noPlan, planOption } from './usage-keys.ts';

export const addPartner = opsCommand({
  name: 'partner add',
  summary:
    'Adds a partner: its record, and its share of the API by a usage plan. Without one, its requests are refused.',
  notes: 'Run again, it completes what an interrupted run left. A partner that has a record keeps it as it is.',
  options: {
    partner: partnerOption,
    projects: {
      hint: 'proj_a,proj_b',
      what: "the partner's own projects in Plangrep, or any, or none (in a sandbox default: the sandbox's)",
    },
    plan: { ...planOption, what: `${planOption.what} (default: ${defaultPlan})` },
  },
  async run({ place, terminal, values, now }) {
    const partnerId = readPartner(values.partner);
    const usageKeys = createUsageKeys(place);
    const plan = await usageKeys.planNamed(values.plan ?? defaultPlan);
    const TableName = await place.table('Partners');
    const Key = toItem({ pk: `partner#${partnerId}` });
    const { Item } = await place.dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
    const projects = Item === undefined ? projectsOfNewPartner(place, values.projects) : [];
    const known = await usageKeys.find(partnerId);
    if (known?.plan !== undefined && known.plan.id !== plan.id) {
      const change = `"partner set --partner ${partnerId} --plan ${plan.name}"`;
      throw new CannotDo(
        1,
        `${partnerId} (${place.environment}) has the plan ${known.plan.name}: ${change} changes it.`,
      );
    }
    await confirmShared({ place, terminal, now }, partnerId, projects);
    const put = new PutItemCommand({
      TableName,
      Item: toItem({ pk: `partner#${partnerId}`, partnerId, projects }),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    const isNew = Item === undefined && (await write('partners', () => place.dynamodb.send(put)));
    await usageKeys.put(partnerId, plan);
    const record = isNew ? `has a record (${describeProjects(projects)})` : 'keeps the record that it has';
    terminal.show({ partnerId, plan, isNew, ...(isNew && { projects }) }, [
      `${partnerId} (${place.environment}) ${record} and the plan ${describePlan(plan)}.`,
      `Next: npm run ops -- partner-key issue --partner ${partnerId}${environmentOption(place)}`,
    ]);
    return 0;
  },
});

export const showPartner = opsCommand({
  name: 'partner show',
  summary: 'Shows a partner: its projects, its usage plan and what it has used today, its live keys.',
  options: { partner: partnerOption },
  async run({ place, terminal, values, now }) {
    const partnerId = readPartner(values.partner);
    const usageKeys = createUsageKeys(place);
    const [partner, key] = [(await readPartners(place, now)).get(partnerId), await usageKeys.find(partnerId)];
    if (partner === undefined && key === undefined) {
      throw new CannotDo(1, `There is no partner ${partnerId} (${place.environment}).`);
    }
    const { projects = [], liveKeys = [] } = partner ?? {};
    const used = key === undefined ? 0 : await usageKeys.usedToday(key, now);
    const plan = key?.plan;
    terminal.show(
      { partnerId, projects, plan: plan ?? null, usedToday: used, liveKeys },
      labelled(12, {
        Partner: `${partnerId} (${place.environment})`,
        Projects: describeProjects(projects),
        Plan: plan === undefined ? noPlan : describePlan(plan),
        'Used today': `${count(used)} requests, as API Gateway counts them (UTC)`,
        'Live keys': liveKeys.join(', ') || 'none',
      }),
    );
    return 0;
  },
});

export const listPartners = opsCommand({
  name: 'partner list',
  summary: 'Lists the partners with their usage plans.',
  options: {},
  async run({ place, terminal, now }) {
    const partners = await readPartners(place, now);
    const keys = new Map((await createUsageKeys(place).list()).map((key) => [key.partnerId, key]));
    const all = [...new Set([...partners.keys(), ...keys.keys()])].toSorted().map((partnerId) => {
      const { projects = [], liveKeys = [] } = partners.get(partnerId) ?? {};
      return { partnerId, projects, plan: keys.get(partnerId)?.plan ?? null, liveKeys };
    });
    const rows = all.map(({ partnerId, projects, plan, liveKeys }): Cell[] => {
      const planCell = plan === null ? ({ text: noPlan, style: 'red' } as const) : describePlan(plan);
      return [partnerId, describeProjects(projects), planCell, String(liveKeys.length)];
    });
    const lines = all.length === 0 ? [`There is no partner (${place.environment}).`] : undefined;
    terminal.show(all, lines ?? table(['PARTNER', 'PROJECTS', 'PLAN', 'LIVE KEYS'], rows));
    return all.length === 0 ? 1 : 0;
  },
});

export const removePartner = opsCommand({
  name: 'partner remove',
  summary: 'Removes a partner for good: its credentials, its usage plan, its callbacks and its record.',
  notes:
    'Its cancellations under way are seen through, and what is on record stays. Run again, it completes what was interrupted.',
  options: { partner: partnerOption },
  async run({ place, terminal, values, now }) {
    const partnerId = readPartner(values.partner);
    const partner = (await readPartners(place, now)).get(partnerId);
    const usageKeys = createUsageKeys(place);
    if (partner === undefined && (await usageKeys.find(partnerId)) === undefined) {
      throw new CannotDo(1, `There is no partner ${partnerId} (${place.environment}).`);
    }
    const { liveKeys = [] } = partner ?? {};
    const keys = liveKeys.length === 1 ? 'its live key' : `its ${liveKeys.length} live keys`;
    await terminal.confirm(`Remove ${partnerId} (${place.environment}) and revoke ${keys}, for good?`);
    const TableName = await place.table('Partners');
    for (const keyId of liveKeys) {
      const UpdateExpression = 'SET revokedAt = if_not_exists(revokedAt, :now)';
      const ExpressionAttributeValues = toItem({ ':now': toTimestamp(now) });
      const Key = toItem({ pk: `key#${keyId}` });
      await place.dynamodb.send(new UpdateItemCommand({ TableName, Key, UpdateExpression, ExpressionAttributeValues }));
    }
    await usageKeys.remove(partnerId);
    const endpoint = await readStoredEndpoint(place, partnerId);
    if (endpoint?.url !== undefined) await removeEndpoint(place, partnerId, endpoint);
    await place.dynamodb.send(new DeleteItemCommand({ TableName, Key: toItem({ pk: `partner#${partnerId}` }) }));
    terminal.show({ partnerId, revoked: liveKeys }, [
      `${partnerId} (${place.environment}) is removed: its requests are refused from now on.`,
    ]);
    return 0;
  },
});
