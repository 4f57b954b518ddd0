import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { createPartners } from '../../functions/adapters/dynamodb/partners.ts';
import { toItem } from '../../functions/adapters/dynamodb/dynamodb.ts';
import { projectIdSchema } from '../../functions/core/identifiers.ts';
import type { Command } from './command.ts';
import { partnerOption, readAs, readList, readPartner } from './read-option.ts';

export const setPartner: Command = {
  name: 'partner set',
  summary: "Writes a partner's record: the Plangrep projects where jobs are looked for that nobody registered.",
  notes: "The projects given take the place of those that were there; --projects '' leaves none.",
  options: {
    partner: partnerOption,
    projects: { hint: 'proj_a,proj_b', what: "the partner's own projects in Plangrep", required: true },
  },
  async run(request) {
    const { place, terminal, required } = request;
    const partnerId = readPartner(request);
    const projects = readList(required('projects')).map((project) => readAs(projectIdSchema, '--projects', project));
    const TableName = await place.table('Partners');
    const before = await createPartners(place.dynamodb, TableName).projectsOf(partnerId);
    const dropped = before.filter((project) => !projects.includes(project));
    if (dropped.length > 0) {
      await terminal.confirm(`Drop ${dropped.join(', ')} from ${partnerId} (${place.environment})?`);
    }
    await place.dynamodb.send(
      new UpdateItemCommand({
        TableName,
        Key: toItem({ pk: `partner#${partnerId}` }),
        UpdateExpression: 'SET partnerId = :partnerId, projects = :projects',
        ExpressionAttributeValues: toItem({ ':partnerId': partnerId, ':projects': projects }),
      }),
    );
    terminal.show({ partnerId, projects, before }, [
      `${partnerId} (${place.environment}): ${projects.join(', ') || 'no projects'}`,
    ]);
    return 0;
  },
};
