import { documentationRoutes, partnerAuthorizer, routes, unknownRouteFunction } from '../blueprint/api.ts';
import { closedEvent, type DeadLetterQueueName, eventDoor } from '../blueprint/bus-events.ts';
import { callbackQueue, callbackSchedule } from '../blueprint/callbacks.ts';
import { functionNames, functions, reconcilerSchedule, sealSchedule } from '../blueprint/functions.ts';
import type { Resource } from '../blueprint/access/permissions.ts';
import { isOfFunction, permissionsOf, type RoleName } from '../blueprint/access/roles.ts';
import { logReaders } from '../blueprint/streams/log-readers.ts';
import { archiveFolders } from '../blueprint/archive/archive-folders.ts';
import { tables } from '../blueprint/tables.ts';
import { wakeUpQueue } from '../blueprint/wake-up-queue.ts';
import { arrow, box, type Drawn, label, line, mark, svg, text, wordsOf, wrap } from './svg.ts';

/** The left edges of the columns, in pixels, and their widths. */
const X = { partners: 16, door: 218, queue: 372, fn: 522, things: 752 };
const WIDTH = { partners: 84, door: 112, queue: 104, fn: 180, thing: 80, all: 1395 };
const BOX_HEIGHT = 30;
const ROW = 48;
/** A row with something below its boxes. */
const HIGH_ROW = 80;

const secret = "Plangrep's key";
const callbackSecret = 'Callback secret';
const plangrep = 'Plangrep';
const endpoints = "Partners' endpoints";
const archive = 'Archive';
/** Everything that functions reach, in the order of the picture. */
const things = [...Object.keys(tables).map(wordsOf), archive, secret, callbackSecret, plangrep, endpoints];
/** A permission on an index or a stream counts for its table. */
const thingOf: Readonly<Partial<Record<Resource, string>>> = {
  ...Object.fromEntries(Object.keys(tables).map((name) => [name, wordsOf(name)])),
  WakeUps: wordsOf('CancellationLog'),
  CancellationLogStream: wordsOf('CancellationLog'),
  PlangrepKey: secret,
  CallbackSecret: callbackSecret,
  ...Object.fromEntries(Object.keys(archiveFolders).map((folder) => [folder, archive])),
};

/**
 * docs/architecture.svg: what starts each function on the left, what the function reaches on the right. A thing is a
 * vertical line, a function a horizontal one, and a mark where they meet says what the function does: no arrows cross.
 */
export function drawArchitecture(): string {
  const byRoute = functionNames.filter((name) => routesOf(name).length > 0);
  const http = 104;
  const events = http + (1 + byRoute.length) * ROW + 40;
  const wakeUps = events + 2 * HIGH_ROW + 14;
  const callbacks = wakeUps + ROW + 10;
  const time = callbacks + HIGH_ROW + 14;
  const archiving = time + HIGH_ROW + 14;
  const sandbox = archiving + HIGH_ROW + ROW + 10;
  const bottom = sandbox + HIGH_ROW;
  return svg(WIDTH.all, bottom + 56, 'What starts each function, and what it reads, writes and calls', [
    text('caption', X.partners + WIDTH.partners / 2, 84, 'callers'),
    text('caption', X.door + WIDTH.door / 2, 84, 'doors'),
    text('caption', X.fn + WIDTH.fn / 2, 84, 'functions'),
    ...things.flatMap((thing, index) => drawThing(thing, X.things + index * 85, bottom)),
    box('outside', X.partners, http, WIDTH.partners, wakeUps - HIGH_ROW / 2 - http, ['Partner', 'systems']),
    ...drawHttp(byRoute, http),
    ...drawEvents(events),
    ...drawWakeUps(wakeUps),
    ...drawCallbacks(callbacks),
    ...drawSchedule(time),
    ...drawArchiving(archiving),
    ...drawSandbox(sandbox),
    ...drawLegend(bottom + 30),
  ]);
}

function routesOf(name: RoleName): readonly string[] {
  if (name === unknownRouteFunction) return ['every other address', 'and method'];
  const own = [...routes, ...documentationRoutes].filter((route) => route.function === name);
  return own.map(({ method, path }) => `${method} ${path}`);
}

const kinds: Readonly<Record<string, string>> = {
  [archive]: 'bucket',
  [secret]: 'secret',
  [callbackSecret]: 'secret',
  [plangrep]: 'outside',
  [endpoints]: 'outside',
};

/** The head of a vertical line. */
function drawThing(thing: string, x: number, bottom: number): Drawn {
  const kind = kinds[thing] ?? 'table';
  return [
    line('wire', x, 84, x, bottom - 4),
    text('caption', x, 36, kind),
    box(kind === 'bucket' ? 'table' : kind, x - WIDTH.thing / 2, 44, WIDTH.thing, 40, wrap(thing, 10)),
  ];
}

function drawHttp(byRoute: readonly RoleName[], top: number): Drawn {
  const height = (1 + byRoute.length) * ROW - 18;
  const middle = top + height / 2;
  return [
    box('door', X.door, top, WIDTH.door, height, ['API Gateway', 'behind a', 'firewall']),
    ...arrowWith(X.partners + WIDTH.partners, X.door, middle, ['HTTPS'], ['Bearer key']),
    ...drawRow(partnerAuthorizer.function, top),
    ...arrowWith(X.door + WIDTH.door, X.fn, top + BOX_HEIGHT / 2, ['checks every key']),
    ...byRoute.flatMap((name, index) => {
      const y = top + (index + 1) * ROW;
      return [...drawRow(name, y), ...arrowWith(X.door + WIDTH.door, X.fn, y + BOX_HEIGHT / 2, ...routeLabel(name))];
    }),
  ];
}

/** What stands above and below a function's arrow. */
function routeLabel(name: RoleName): [readonly string[], readonly string[]] {
  const own = routesOf(name);
  if (own.length <= 2) return [own.slice(0, 1), own.slice(1)];
  // Many pages: their first segments say enough.
  const pages = [...new Set(own.map((route) => route.replace(/^\w+ (\/[^/]+).*/, '$1')))];
  return [[`GET ${pages.slice(0, 2).join(', ')}`], [pages.slice(2).join(', ')]];
}

function drawEvents(top: number): Drawn {
  const into = top + BOX_HEIGHT / 2;
  const out = into + HIGH_ROW;
  const [partners, bus] = [X.partners + WIDTH.partners, X.door + WIDTH.door];
  const [cancel, register] = eventDoor.detailTypes;
  return [
    box('bus', X.door, top, WIDTH.door, HIGH_ROW + BOX_HEIGHT, ['EventBridge', 'bus']),
    ...deadLetters('EventsUndelivered', X.door + WIDTH.door / 2, out + BOX_HEIGHT / 2),
    ...arrowWith(partners, X.door, into, wrap(cancel, 17), wrap(register, 17)),
    ...arrowWith(bus, X.queue, into),
    box('queue', X.queue, top, WIDTH.queue, BOX_HEIGHT, ['Events queue']),
    ...deadLetters('EventsGivenUp', X.queue + WIDTH.queue / 2, top + BOX_HEIGHT, ` (${eventDoor.maxReceives} tries)`),
    ...arrowWith(X.queue + WIDTH.queue, X.fn, into),
    ...drawRow(eventDoor.function, top),
    ...drawRow(logReaders.announce.function, top + HIGH_ROW),
    ...deadLetters('OutgoingEventsUndelivered', X.fn + WIDTH.fn / 2, out + BOX_HEIGHT / 2),
    ...arrowWith(X.fn, bus, out, ['announce what is'], ['closed or refused']),
    ...arrowWith(X.door, partners, out, wrap(closedEvent.detailType, 17).slice(0, 1), ['Closed, Refused']),
  ];
}

function drawWakeUps(top: number): Drawn {
  const into = top + BOX_HEIGHT / 2;
  return [
    ...arrowWith(X.door, X.queue, into, ['functions send what'], ['they leave open']),
    box('queue', X.queue, top, WIDTH.queue, BOX_HEIGHT, ['Wake-up queue']),
    ...arrowWith(X.queue + WIDTH.queue, X.fn, into),
    ...drawRow(wakeUpQueue.function, top),
  ];
}

function drawCallbacks(top: number): Drawn {
  const into = top + BOX_HEIGHT / 2;
  return [
    ...arrowWith(X.door, X.queue, into, ['what was announced,'], ['escalated or refused']),
    box('queue', X.queue, top, WIDTH.queue, BOX_HEIGHT, ['Callbacks queue']),
    ...deadLetters(
      'CallbacksGivenUp',
      X.queue + WIDTH.queue / 2,
      top + BOX_HEIGHT,
      ` (${callbackQueue.maxReceives} tries)`,
    ),
    ...arrowWith(X.queue + WIDTH.queue, X.fn, into),
    ...drawRow(callbackQueue.function, top),
    text('caption', X.fn + WIDTH.fn / 2, top + BOX_HEIGHT + 14, `and every ${inMinutes(callbackSchedule)}`),
  ];
}

function inMinutes({ everyMinutes }: { readonly everyMinutes: number }): string {
  return new Intl.PluralRules('en').select(everyMinutes) === 'one' ? 'minute' : `${everyMinutes} minutes`;
}

function drawSchedule(top: number): Drawn {
  const { function: name } = reconcilerSchedule;
  return [
    box('bus', X.door, top - 5, WIDTH.door, 40, ['Schedule', `every ${inMinutes(reconcilerSchedule)}`]),
    ...arrowWith(X.door + WIDTH.door, X.fn, top + BOX_HEIGHT / 2, ['finds what the queue lost']),
    ...drawRow(name, top),
    ...deadLetters('MissedRuns', X.fn + WIDTH.fn / 2, top + BOX_HEIGHT),
  ];
}

function drawArchiving(top: number): Drawn {
  return [
    ...label(X.door, X.fn, top + BOX_HEIGHT / 2, ['every change,'], ["from the log's stream"]),
    ...drawRow(logReaders.archive.function, top),
    ...deadLetters('RecordsNotArchived', X.fn + WIDTH.fn / 2, top + BOX_HEIGHT),
    box('bus', X.door, top + HIGH_ROW - 5, WIDTH.door, 40, ['Schedule', `every ${sealSchedule.everyMinutes} minutes`]),
    ...arrowWith(X.door + WIDTH.door, X.fn, top + HIGH_ROW + BOX_HEIGHT / 2, ['signs a digest']),
    ...drawRow(sealSchedule.function, top + HIGH_ROW),
  ];
}

function drawSandbox(top: number): Drawn {
  const middle = X.fn + WIDTH.fn / 2;
  return [
    ...label(X.door, X.fn, top + BOX_HEIGHT / 2, ["takes Plangrep's place"], ['only in a sandbox (dev)']),
    ...drawRow('simulate-plangrep', top),
    line('reach', middle, top + BOX_HEIGHT, middle, top + BOX_HEIGHT + 10),
    box('table', middle - 55, top + BOX_HEIGHT + 10, 110, 22, ['Sandbox table']),
  ];
}

/** A function's box and its horizontal line, with a mark for each thing that it reaches. */
function drawRow(role: RoleName, top: number, kind = 'function', title: string = role): Drawn {
  const y = top + BOX_HEIGHT / 2;
  const marks = accessOf(role).map(([thing, access]) => ({ x: X.things + things.indexOf(thing) * 85, access }));
  return [
    line('reach', X.fn + WIDTH.fn, y, Math.max(X.fn + WIDTH.fn, ...marks.map(({ x }) => x)), y),
    box(kind, X.fn, top, WIDTH.fn, BOX_HEIGHT, [title]),
    ...marks.map(({ x, access }) => mark(access, x, y)),
  ];
}

/** What the role's permissions allow it to do with each thing, and whether it calls Plangrep. */
function accessOf(role: RoleName): readonly (readonly [string, 'reads' | 'writes' | 'calls'])[] {
  const writes = new Map<string, boolean>();
  for (const { actions, resource } of permissionsOf(role)) {
    const thing = thingOf[resource];
    if (thing === undefined) continue;
    writes.set(thing, writes.get(thing) === true || actions.some((action) => /:(Put|Update)/.test(action)));
  }
  const environment: readonly string[] = isOfFunction(role) ? functions[role].environment : [];
  return [
    ...[...writes].map(([thing, isWritten]) => [thing, isWritten ? 'writes' : 'reads'] as const),
    ...(environment.includes('PLANGREP_BASE_URL') ? [[plangrep, 'calls'] as const] : []),
    ...(role === callbackQueue.function ? [[endpoints, 'calls'] as const] : []),
  ];
}

function arrowWith(from: number, to: number, y: number, above: Drawn = [], below: Drawn = []): Drawn {
  return [arrow(from, y, to), ...label(from, to, y, above, below)];
}

/** A dead-letter queue hangs under the box that fills it. */
function deadLetters(name: DeadLetterQueueName, middle: number, y: number, when = ''): Drawn {
  const words = wordsOf(name) + when;
  const width = words.length * 6.2 + 12;
  return [line('failed', middle, y, middle, y + 10), box('dead', middle - width / 2, y + 10, width, 22, [words])];
}

function drawLegend(y: number): Drawn {
  return [
    box('dead', X.partners, y - 11, 110, 22, ['Dead-letter queue']),
    text('note', X.partners + 118, y + 4, 'where messages go that could not be delivered; an alarm watches each'),
    ...(['reads', 'writes', 'calls'] as const).flatMap((access, index) => [
      mark(access, X.things - 30 + index * 110, y),
      text('note', X.things - 18 + index * 110, y + 4, access === 'writes' ? 'reads, writes' : access),
    ]),
  ];
}
