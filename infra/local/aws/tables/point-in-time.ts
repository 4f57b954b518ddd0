import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';

type Item = Record<string, AttributeValue>;

interface Change {
  readonly at: number;
  readonly key: string;
  /** As it was after the change; undefined: deleted. */
  readonly item: Item | undefined;
}

/** A table as it was when its recovery began, and every change since. */
interface History {
  readonly keys: readonly string[];
  readonly beganAt: number;
  readonly began: ReadonlyMap<string, Item>;
  readonly changes: Change[];
}

/** DynamoDB takes so many items in one call. */
const AT_ONCE = 25;

/**
 * Point-in-time recovery: the history of each table that has it switched on, from then on and for this process alone.
 * An item is read again after each write, so two writes to one item within a moment may show as one.
 */
export class PointInTime {
  private readonly histories = new Map<string, History>();
  private readonly engine: DynamoDBClient;
  private readonly now: () => number;
  private writing: Promise<unknown> = Promise.resolve();

  /** @param engine a client that reaches the engine itself */
  constructor(engine: DynamoDBClient, now: () => number) {
    this.engine = engine;
    this.now = now;
  }

  /** From when a table can be restored. */
  since(table: string): number | undefined {
    return this.histories.get(table)?.beganAt;
  }

  async begin(table: string, keys: readonly string[]): Promise<void> {
    if (this.histories.has(table)) return;
    const began = new Map((await this.itemsOf(table)).map((item) => [keyOf(keys, item), item]));
    this.histories.set(table, { keys, beganAt: this.now(), began, changes: [] });
  }

  end(table: string): void {
    this.histories.delete(table);
  }

  /** Notes what an item is after a write. @param given the item, or its key */
  wrote(table: string, given: Item): void {
    const history = this.histories.get(table);
    if (history === undefined) return;
    const Key = Object.fromEntries(history.keys.map((name) => [name, given[name] ?? { S: '' }]));
    const read = new GetItemCommand({ TableName: table, Key, ConsistentRead: true });
    const noted = this.engine.send(read).then(({ Item }) => {
      history.changes.push({ at: this.now(), key: keyOf(history.keys, Key), item: Item });
    });
    this.writing = Promise.all([this.writing, noted.catch(() => undefined)]);
  }

  /** Fills an empty table with what another one held at that time. */
  async copy(from: string, to: string, at: number): Promise<void> {
    await this.writing;
    const history = this.histories.get(from);
    if (history === undefined) throw new Error(`${from} has no history`);
    const items = new Map(history.began);
    for (const change of history.changes.filter((one) => one.at <= at)) {
      if (change.item === undefined) items.delete(change.key);
      else items.set(change.key, change.item);
    }
    const puts = [...items.values()].map((Item) => ({ PutRequest: { Item } }));
    for (let first = 0; first < puts.length; first += AT_ONCE) {
      const RequestItems = { [to]: puts.slice(first, first + AT_ONCE) };
      await this.engine.send(new BatchWriteItemCommand({ RequestItems }));
    }
  }

  private async itemsOf(TableName: string): Promise<Item[]> {
    const items: Item[] = [];
    for await (const { Items = [] } of paginateScan({ client: this.engine }, { TableName })) items.push(...Items);
    return items;
  }
}

function keyOf(keys: readonly string[], item: Item): string {
  return JSON.stringify(keys.map((name) => item[name]));
}
