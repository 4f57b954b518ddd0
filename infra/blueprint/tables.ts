/** The tables, defined once: the stacks and the local run are both made from this, so they cannot differ. */
export interface TableDefinition {
  /** The environment variable that holds the table's name. */
  readonly variable: 'JOB_DIRECTORY_TABLE' | 'CANCELLATION_LOG_TABLE' | 'PARTNERS_TABLE' | 'SANDBOX_TABLE';
  /** All keys are strings, the index's too. */
  readonly partitionKey: string;
  readonly sortKey?: string;
  /** A number attribute, in seconds since 1970, after which DynamoDB may delete the item. */
  readonly timeToLive?: string;
  /** Sparse, keys only. */
  readonly indexes?: Readonly<Record<string, IndexDefinition>>;
  /** What the table's stream shows of a change: the item as it is afterwards, or also as it was before. */
  readonly stream?: 'NEW_IMAGE' | 'NEW_AND_OLD_IMAGES';
  /**
   * Whether CloudWatch Contributor Insights names the keys that are throttled. It shows keys as plain text, so not where they
   * hold an externalId.
   */
  readonly contributorInsights?: 'THROTTLED_KEYS';
}

export interface IndexDefinition {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
}

/** In the order in which a request reads them. */
export const tables = {
  /**
   * `pk` is `key#<keyId>` (a credential's hash, scopes, expiry), `partner#<partnerId>` (the partner's record) or
   * `callback#<partnerId>` (where its callbacks go, and whether they are paused).
   */
  Partners: { variable: 'PARTNERS_TABLE', partitionKey: 'pk', contributorInsights: 'THROTTLED_KEYS' },
  /**
   * `pk` is `<partnerId>#job#<externalId>` (`sk` the jobId), `job#<jobId>` (`sk` `owner`, or `released#<time>` for a former
   * one), `<partnerId>#request#<hash of the request key>` (`sk` `binding`) or `<partnerId>#refused#<externalId>` (`sk` the time).
   */
  JobDirectory: { variable: 'JOB_DIRECTORY_TABLE', partitionKey: 'pk', sortKey: 'sk', timeToLive: 'expiresAt' },
  /** `pk` is `<partnerId>#<jobId>`, `sk` `event#<seq>` or `joined#<time>#<id>`; or `<partnerId>#refused#<day>`. */
  CancellationLog: {
    variable: 'CANCELLATION_LOG_TABLE',
    partitionKey: 'pk',
    sortKey: 'sk',
    // Not `expiresAt`: events have that of their job.
    timeToLive: 'deleteAfter',
    indexes: {
      wakeUps: { name: 'due-wake-ups', partitionKey: 'wakeShard', sortKey: 'wakeAt' },
      /** What a request left on record. Only operators search it. */
      requests: { name: 'requests', partitionKey: 'requestId', sortKey: 'at' },
    },
    // For those in streams/log-readers.ts. A record that was rewritten shows by its old image.
    stream: 'NEW_AND_OLD_IMAGES',
    contributorInsights: 'THROTTLED_KEYS',
  },
} as const satisfies Record<string, TableDefinition>;

export type TableName = keyof typeof tables;

/** Only in a sandbox. `pk` is a jobId; the item says when that job was first seen and cancelled, and lasts a week. */
export const sandboxTable = {
  variable: 'SANDBOX_TABLE',
  partitionKey: 'pk',
  timeToLive: 'expiresAt',
} as const satisfies TableDefinition;
