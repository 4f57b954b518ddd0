import { eventDoor, inputTransformer } from '../../event-door.ts';

/** An event as EventBridge delivers it. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** Whole seconds: `2026-11-23T18:16:03Z`. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** One partner's rule: the events of its own source, wrapped with its partnerId. */
export interface PartnerRule {
  readonly partnerId: string;
  readonly eventSource: string;
}

export const matches = ({ eventSource }: PartnerRule, event: BusEvent): boolean =>
  event.source === eventSource && eventDoor.detailTypes.some((type) => type === event['detail-type']);

const valueAt = (event: unknown, path: string): unknown =>
  path
    .split('.')
    .slice(1)
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined,
      event,
    );

/**
 * What the rule's input transformer makes of an event: each `<name>` outside quotes is replaced by the JSON of its
 * path's value, so text comes quoted.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
export const transform = ({ partnerId }: PartnerRule, event: BusEvent): string => {
  const { paths, template } = inputTransformer(partnerId);
  const values = new Map(Object.entries(paths).map(([name, path]) => [name, valueAt(event, path)]));
  return template.replaceAll(/<(\w+)>/g, (_, name: string) => JSON.stringify(values.get(name) ?? null));
};
