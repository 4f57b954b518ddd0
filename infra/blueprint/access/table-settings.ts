import type { Environment } from '../environment-schema.ts';
import { type Account, policyOf, type TablePolicy } from './table-policies.ts';
import { type TableDefinition, type TableName, tables } from '../tables.ts';

/**
 * What a table has beside its keys, its index and its items. A restored table has none of it: the stateful stack and
 * `ops restore` both read it here.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
 */
export interface TableSettings {
  /** The attribute; undefined: nothing expires. */
  readonly timeToLive: string | undefined;
  /** undefined: no point-in-time recovery. */
  readonly pointInTimeRecoveryDays: number | undefined;
  readonly deletionProtection: boolean;
  readonly stream: TableDefinition['stream'];
  /** Of the table and of each of its indexes. */
  readonly contributorInsights: TableDefinition['contributorInsights'];
  readonly indexNames: readonly string[];
  readonly policy: TablePolicy;
  readonly tags: Readonly<Record<string, string>>;
}

/** What the settings depend on. */
export type TableSurroundings = Pick<Environment, 'name' | 'deletionProtection' | 'pointInTimeRecoveryDays'>;

/** What a table has besides its keys, in one environment. */
export function settingsOf(name: TableName, environment: TableSurroundings, account: Account): TableSettings {
  const { timeToLive, stream, contributorInsights, indexes = {} }: TableDefinition = tables[name];
  return {
    timeToLive,
    pointInTimeRecoveryDays: environment.pointInTimeRecoveryDays,
    deletionProtection: environment.deletionProtection,
    stream,
    contributorInsights,
    indexNames: Object.values(indexes).map((index) => index.name),
    policy: policyOf(name, environment.name, account),
    tags: tagsOf(environment),
  };
}

/** Of every resource of an environment that can have tags. */
export function tagsOf({ name }: Pick<Environment, 'name'>): Readonly<Record<string, string>> {
  return { project: 'plangrep-cancellation', environment: name };
}
