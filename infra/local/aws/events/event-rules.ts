import { randomUUID } from 'node:crypto';
import { localAccount, localArn, localRegion } from '../loopback.ts';
import { valueAt } from './event-pattern.ts';

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

/** A rule with an event pattern and an input transformer. */
export interface Rule {
  /** That the events come from. */
  readonly account: string;
  readonly source: string;
  readonly detailTypes: readonly string[];
  /** Of the messages that it puts into the queue. */
  readonly messageGroupId: string;
  readonly inputTransformer: { readonly paths: Readonly<Record<string, string>>; readonly template: string };
}

/** A rule that hands on the events of this account as they are. */
export interface Listener {
  readonly source: string;
  readonly detailTypes: readonly string[];
  /** The event is rejected when this throws. */
  readonly take: (event: BusEvent) => void;
}

export function isFor({ source, detailTypes }: Listener, event: BusEvent): boolean {
  return event.account === localAccount && event.source === source && detailTypes.includes(event['detail-type']);
}

/** @returns what the rule hands on, or undefined when the event does not match its pattern */
export function applyRule(
  { account, source, detailTypes, inputTransformer }: Rule,
  event: BusEvent,
): string | undefined {
  if (event.account !== account || event.source !== source || !detailTypes.includes(event['detail-type']))
    return undefined;
  return fillTemplate(inputTransformer.template, inputTransformer.paths, event);
}

/**
 * Fills an input transformer's template: each `<name>` becomes the value at its path. Text keeps its quotes, except where
 * the template itself has quotes around it; everything else becomes JSON.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 * @throws when a path leads to no value: EventBridge would leave the place empty, and the result would not be JSON
 */
export function fillTemplate(template: string, paths: Readonly<Record<string, string>>, event: BusEvent): string {
  let isQuoted = false;
  return template.replaceAll(/\\.|"|<([\w-]+)>/g, (found, name: string | undefined) => {
    if (found === '"') isQuoted = !isQuoted;
    const path = paths[name ?? ''];
    if (path === undefined) return found;
    const value = JSON.stringify(valueAt(event, path));
    if (value === undefined) throw new Error(`The event has no ${path}`);
    return isQuoted ? value.replaceAll(/^"|"$/g, '') : value;
  });
}

export interface ScheduleOptions {
  readonly everyMs: number;
  /** How many invocations may be under way; a further one that becomes due is skipped. */
  readonly atOnce: number;
  /** The rule's name. */
  readonly name: string;
  readonly invoke: (event: unknown) => Promise<unknown>;
}

/**
 * A scheduled rule: invokes at once, then at every interval, even if the last invocation has not ended. An invocation
 * that finds no room within its interval is skipped, as with the deployed rule's maximum event age.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
 */
export function startSchedule({ everyMs, atOnce, name, invoke }: ScheduleOptions): { close(): void } {
  let underWay = 0;
  const tick = (): void => {
    if (underWay >= atOnce) return;
    underWay += 1;
    const end = (): void => {
      underWay -= 1;
    };
    // The function logs its own failure, and the next run comes anyway.
    invoke(scheduledEvent(name)).then(end, end);
  };
  tick();
  const timer = setInterval(tick, everyMs);
  return { close: () => clearInterval(timer) };
}

function scheduledEvent(name: string): BusEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: localAccount,
    time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    region: localRegion,
    resources: [localArn('events', `rule/${name}`)],
    detail: {},
  };
}
