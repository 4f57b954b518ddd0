import { closedEvent, eventDoor, inputTransformer, outgoingEvents } from '../blueprint/bus-events.ts';
import { busStatements } from '../blueprint/bus-policy.ts';
import { roleNameOf } from '../blueprint/access/roles.ts';
import { accountOf } from '../blueprint/senders.ts';
import { logReaders } from '../blueprint/streams/log-readers.ts';
import type { AccessKey } from './aws/access-keys.ts';
import { bus, type LocalEventBridge, startEventBridge } from './aws/events/event-bridge.ts';
import type { BusEvent } from './aws/events/event-rules.ts';
import type { LocalQueue } from './aws/events/queue.ts';
import { localEnvironment, type PartnerCredential } from './seeds.ts';

/** Called with each event that goes out. */
export type OnAnnounced = (event: BusEvent) => void;

export interface BusParts {
  /** The operator's key. */
  readonly aws: AccessKey;
  readonly partners: readonly PartnerCredential[];
  /** With its key a function puts events under its role. */
  readonly accessKeyOf: (functionName: string) => AccessKey;
  readonly onAnnounced: OnAnnounced;
}

export interface LocalBus {
  readonly eventBridge: LocalEventBridge;
  /** The rules' target. Until then, what a rule matches is rejected. */
  deliverTo(queue: LocalQueue): void;
  close(): Promise<void>;
}

/** EventBridge with the bus's policy, and a rule for each partner. The functions are told its address, so it starts before them. */
export async function startBus({ aws, partners, accessKeyOf, onAnnounced }: BusParts): Promise<LocalBus> {
  let target: LocalQueue | undefined;
  const role = (name: string): string => `arn:aws:iam::${bus.account}:role/${name}`;
  const announcer = logReaders.announce.function;
  const announcerRoleArn = role(roleNameOf(localEnvironment, announcer));
  const eventBridge = await startEventBridge({
    publishers: [
      { ...aws, principalArn: role('operator') },
      { ...accessKeyOf(announcer), principalArn: announcerRoleArn },
      ...partners.map(({ principal, aws: key }) => ({ ...key, principalArn: principal })),
    ],
    policy: busStatements(partners, {
      busArn: bus.busArn,
      accountId: bus.account,
      partition: 'aws',
      announcerRoleArn,
    }),
    rules: partners.map(({ partnerId, eventSource, principal }) => ({
      account: accountOf({ principal }, bus.account),
      source: eventSource,
      detailTypes: eventDoor.detailTypes,
      messageGroupId: partnerId,
      inputTransformer: inputTransformer(partnerId),
    })),
    listeners: [
      {
        source: closedEvent.source,
        detailTypes: Object.values(outgoingEvents).map(({ detailType }) => detailType),
        take: onAnnounced,
      },
    ],
    deliver: (input, group) => {
      if (target === undefined) throw new Error('The queue is not there yet');
      target.send(input, group);
    },
  });
  return {
    eventBridge,
    deliverTo(queue) {
      target = queue;
    },
    close: () => eventBridge.close(),
  };
}
