/** The engine's access to its files, below its HTTP API. */
declare module 'dynalite/db/index.js' {
  import type { AttributeValue } from '@aws-sdk/client-dynamodb';

  interface TableDescription {
    readonly KeySchema: readonly object[];
    readonly GlobalSecondaryIndexes?: readonly { readonly IndexName: string; readonly KeySchema: readonly object[] }[];
  }
  type Item = Readonly<Record<string, AttributeValue>>;
  type Done = (error?: Error | null) => void;

  interface Entries {
    batch(operations: readonly { type: 'put'; key: string; value: Item }[], done: Done): void;
  }

  interface Store {
    readonly db: { close(done: Done): void };
    getTable(name: string, checkStatus: boolean, done: (error: Error | null, table: TableDescription) => void): void;
    getItemDb(table: string): Entries;
    getIndexDb(type: 'global', table: string, index: string): Entries;
  }

  const engine: {
    create(options: { readonly path: string }): Store;
    createKey(item: Item, table: TableDescription): string;
    getIndexActions(
      indexes: readonly object[],
      before: Item | null,
      after: Item,
      table: TableDescription,
    ): { readonly puts: readonly { readonly index: string; readonly key: string; readonly item: Item }[] };
  };
  export default engine;
}
