import { eventDoor, inputTransformer } from '../../../blueprint/bus-events.ts';

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
 * What a template makes of an event: each `<name>` gives way to its path's value. Text comes with its quotes, and
 * without them where the template has it in quotes; everything else comes as JSON.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 * @throws when a path leads nowhere: EventBridge would leave the place empty, and the result would be no JSON
 */
export const fillTemplate = (template: string, paths: Readonly<Record<string, string>>, event: BusEvent): string => {
  let isQuoted = false;
  return template.replaceAll(/\\.|"|<([\w-]+)>/g, (found, name: string | undefined) => {
    if (found === '"') isQuoted = !isQuoted;
    const path = paths[name ?? ''];
    if (path === undefined) return found;
    const value = JSON.stringify(valueAt(event, path));
    if (value === undefined) throw new Error(`${path} is not there`);
    return isQuoted ? value.replaceAll(/^"|"$/g, '') : value;
  });
};

/** What a partner's rule hands on: the stack's own input transformer, filled in. */
export const transform = ({ partnerId }: PartnerRule, event: BusEvent): string => {
  const { paths, template } = inputTransformer(partnerId);
  return fillTemplate(template, paths, event);
};
