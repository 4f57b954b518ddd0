import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { endpointKey } from '../../../functions/adapters/dynamodb/callback-endpoints.ts';
import { toItem } from '../../../functions/adapters/dynamodb/table-client.ts';
import { deriveSecret } from '../../../functions/core/callbacks/callback-secret.ts';
import { partnerIdSchema } from '../../../functions/core/identifiers.ts';
import type { LocalRun } from '../../../infra/local/run.ts';
import { type Arrival, type HostileReceiver, startHostileReceiver } from './hostile-receiver.ts';
import type { PartnerId } from '../local-run.ts';

/** Partners' endpoints beside a running service. */
export interface Callbacks {
  /** Knows the signing secret of each partner's first version. */
  readonly receiver: HostileReceiver;
  /** What a partner was called back about this job. */
  about(jobId: string): readonly (Arrival & { readonly told: Readonly<Record<string, unknown>> })[];
  /** Writes where a partner's callbacks go, as an operator's command does. */
  setEndpoint(partner: PartnerId, fields?: Readonly<Record<string, unknown>>): Promise<void>;
  removeEndpoint(partner: PartnerId): Promise<void>;
}

/** Starts the receiver before the tests of this file. */
export function givenCallbacks(service: { readonly run: LocalRun }): Callbacks {
  let receiver: HostileReceiver | undefined;
  const started = (): HostileReceiver => {
    if (receiver === undefined) throw new Error('The receiver starts before the tests');
    return receiver;
  };
  beforeAll(async () => {
    const { callbackSecret } = service.run;
    const secrets = ['acme', 'globex'].map((partner) =>
      deriveSecret(callbackSecret, partnerIdSchema.parse(partner), 1),
    );
    receiver = await startHostileReceiver({ secrets });
  });
  afterAll(() => receiver?.close());
  const place = () => ({
    client: service.run.dynamodb.client,
    TableName: service.run.dynamodb.tableNames.Partners,
  });
  return {
    get receiver() {
      return started();
    },
    about: (jobId) =>
      started()
        .arrivals.map((arrival) => ({ ...arrival, told: JSON.parse(arrival.body) }))
        .filter(({ told }) => told.data?.jobId === jobId),
    async setEndpoint(partner, fields = {}) {
      const { client, TableName } = place();
      const key = endpointKey(partnerIdSchema.parse(partner));
      const Item = toItem({ ...key, url: `${started().url}/callbacks`, version: 1, ...fields });
      await client.send(new PutItemCommand({ TableName, Item }));
    },
    async removeEndpoint(partner) {
      const { client, TableName } = place();
      const Key = toItem(endpointKey(partnerIdSchema.parse(partner)));
      await client.send(new DeleteItemCommand({ TableName, Key }));
    },
  };
}
