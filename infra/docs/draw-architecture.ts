import { type DeadLetterQueueName, eventDoor } from '../blueprint/bus-events.ts';
import { type Access, describeArchitecture, type Row, things, wordsOf } from './architecture.ts';
import { arrow, box, type Drawn, label, line, mark, svg, text, wrap } from './svg.ts';

const WIDTH = 1140;
/** The left edges of the columns, in pixels. */
const X = { partners: 16, door: 218, queue: 372, fn: 522, things: 752 };
const PARTNERS_WIDTH = 84;
const DOOR_WIDTH = 112;
const QUEUE_WIDTH = 104;
const FN_WIDTH = 180;
const THING_STEP = 85;
const BOX_HEIGHT = 30;
const ROW = 48;
/** More room under a row for what hangs below its boxes. */
const BELOW = 32;

interface Band {
  readonly top: number;
  readonly bottom: number;
  readonly rows: readonly { readonly row: Row; readonly y: number }[];
}

/**
 * docs/architecture.svg: what starts each function on the left, what the function reaches on the right. A thing is a
 * vertical line, a function a horizontal one, and a mark where they meet says what the function does: no arrows cross.
 */
export function drawArchitecture(): string {
  const rows = describeArchitecture();
  const those = (...kinds: readonly Row['trigger']['kind'][]) =>
    rows.filter(({ trigger }) => kinds.includes(trigger.kind));
  const http = layOut(those('authorizer', 'routes'), 104, ROW);
  const events = layOut(those('events', 'stream'), http.bottom + 40, ROW + BELOW);
  const time = layOut(those('schedule'), events.bottom + 14, ROW + BELOW);
  const sandbox = layOut(those('sandbox'), time.bottom + 14, ROW + BELOW);
  const { bottom } = sandbox;
  return svg(WIDTH, bottom + 56, 'What starts each function, and what it reads, writes and calls', [
    text('caption', X.partners + PARTNERS_WIDTH / 2, 84, 'callers'),
    text('caption', X.door + DOOR_WIDTH / 2, 84, 'doors'),
    text('caption', X.fn + FN_WIDTH / 2, 84, 'functions'),
    ...things.flatMap((thing, index) => drawThing(thing, thingX(index), bottom)),
    ...[http, events, time, sandbox].flatMap((band) => band.rows.flatMap(drawFunction)),
    ...drawPartners(http, events),
    ...drawHttp(http),
    ...drawEvents(events),
    ...drawTime(time),
    ...drawSandbox(sandbox),
    ...drawLegend(bottom + 30),
  ]);
}

function layOut(rows: readonly Row[], top: number, step: number): Band {
  const placed = rows.map((row, index) => ({ row, y: top + index * step + BOX_HEIGHT / 2 }));
  return { top, bottom: top + rows.length * step, rows: placed };
}

function thingX(index: number): number {
  return X.things + index * THING_STEP;
}

/** The head of a vertical line. */
function drawThing(thing: string, x: number, bottom: number): Drawn {
  const kind = { "Plangrep's key": 'secret', Plangrep: 'outside' }[thing] ?? 'table';
  const caption = { secret: 'secret', outside: 'outside', table: 'table' }[kind] ?? '';
  return [
    line('wire', x, 84, x, bottom - 4),
    text('caption', x, 36, caption),
    box(kind, x - 40, 44, 80, 40, wrap(thing, 10)),
  ];
}

function drawFunction({ row: { role, trigger, access }, y }: Band['rows'][number]): Drawn {
  const marks = [...access].map(([thing, kind]) => ({ x: thingX(things.indexOf(thing)), kind }));
  const right = Math.max(X.fn + FN_WIDTH, ...marks.map(({ x }) => x));
  return [
    line('reach', X.fn + FN_WIDTH, y, right, y),
    trigger.kind === 'stream'
      ? box('bus', X.fn, y - BOX_HEIGHT / 2, FN_WIDTH, BOX_HEIGHT, [`${role} (a pipe)`])
      : box('function', X.fn, y - BOX_HEIGHT / 2, FN_WIDTH, BOX_HEIGHT, [role]),
    ...marks.map(({ x, kind }) => mark(markOf(kind), x, y)),
  ];
}

function markOf(access: Access): 'reads' | 'writes' | 'calls' {
  return access === 'reads and writes' ? 'writes' : access;
}

function drawPartners(http: Band, events: Band): Drawn {
  return [
    box('outside', X.partners, http.top, PARTNERS_WIDTH, events.bottom - BELOW - http.top, ['Partner', 'systems']),
  ];
}

function drawHttp({ top, bottom, rows }: Band): Drawn {
  const middle = (top + bottom) / 2 - 9;
  return [
    box('door', X.door, top, DOOR_WIDTH, bottom - top - 18, ['API Gateway', 'behind a', 'firewall']),
    arrow(X.partners + PARTNERS_WIDTH, middle, X.door),
    ...label(X.partners + PARTNERS_WIDTH, X.door, middle, ['HTTPS'], ['Bearer key']),
    ...rows.flatMap(({ row: { trigger }, y }) => [
      arrow(X.door + DOOR_WIDTH, y, X.fn),
      ...label(X.door + DOOR_WIDTH, X.fn, y, ...routeLabel(trigger)),
    ]),
  ];
}

function routeLabel(trigger: Row['trigger']): [string[], string[]] {
  if (trigger.kind !== 'routes') return [['checks every key'], []];
  const { routes } = trigger;
  if (routes.length <= 2) return [routes.slice(0, 1), routes.slice(1)];
  // Many pages: their first segments say enough.
  const pages = [...new Set(routes.map((route) => route.replace(/^\w+ (\/[^/]+).*/, '$1')))];
  return [[`GET ${pages.slice(0, 2).join(', ')}`], [pages.slice(2).join(', ')]];
}

function drawEvents({ top, rows }: Band): Drawn {
  const bottom = (rows.at(-1)?.y ?? top) + BOX_HEIGHT / 2;
  return [
    box('bus', X.door, top, DOOR_WIDTH, bottom - top, ['EventBridge', 'bus']),
    ...deadLetters('EventsUndelivered', X.door, bottom, DOOR_WIDTH),
    ...rows.flatMap(({ row: { trigger }, y }) => {
      if (trigger.kind === 'events') {
        return [
          arrow(X.partners + PARTNERS_WIDTH, y, X.door),
          ...label(X.partners + PARTNERS_WIDTH, X.door, y, ...split(trigger.detailTypes)),
          arrow(X.door + DOOR_WIDTH, y, X.queue),
          box('queue', X.queue, y - BOX_HEIGHT / 2, QUEUE_WIDTH, BOX_HEIGHT, ['Events queue']),
          arrow(X.queue + QUEUE_WIDTH, y, X.fn),
          ...deadLetters('EventsGivenUp', X.queue, y + BOX_HEIGHT / 2, QUEUE_WIDTH, `(${eventDoor.maxReceives} tries)`),
        ];
      }
      if (trigger.kind !== 'stream') return [];
      return [
        arrow(X.fn, y, X.door + DOOR_WIDTH),
        ...label(X.door + DOOR_WIDTH, X.fn, y, ['announces each'], ['closed cancellation']),
        arrow(X.door, y, X.partners + PARTNERS_WIDTH),
        ...label(X.partners + PARTNERS_WIDTH, X.door, y, ...split([trigger.announces])),
        ...deadLetters('ClosedEventsUndelivered', X.fn, y + BOX_HEIGHT / 2, FN_WIDTH),
      ];
    }),
  ];
}

/** The last line under the arrow, the others above it. */
function split(texts: readonly string[]): [string[], string[]] {
  const lines = texts.flatMap((one) => wrap(one, 17));
  return [lines.slice(0, -1), lines.slice(-1)];
}

function drawTime({ rows }: Band): Drawn {
  return rows.flatMap(({ row: { trigger }, y }) => {
    if (trigger.kind !== 'schedule') return [];
    const every = trigger.everyMinutes === 1 ? 'every minute' : `every ${trigger.everyMinutes} min`;
    return [
      box('bus', X.door, y - 20, DOOR_WIDTH, 40, ['Schedule', every]),
      arrow(X.door + DOOR_WIDTH, y, X.fn),
      ...label(X.door + DOOR_WIDTH, X.fn, y, ['looks at what is due'], []),
      ...deadLetters('MissedRuns', X.fn, y + BOX_HEIGHT / 2, FN_WIDTH),
    ];
  });
}

function drawSandbox({ rows }: Band): Drawn {
  return rows.flatMap(({ y }) => [
    ...label(X.door, X.fn, y, ["takes Plangrep's place"], ['only in a sandbox (dev)']),
    line('reach', X.fn + FN_WIDTH / 2, y + BOX_HEIGHT / 2, X.fn + FN_WIDTH / 2, y + BOX_HEIGHT / 2 + 10),
    box('table', X.fn + 35, y + BOX_HEIGHT / 2 + 10, FN_WIDTH - 70, 22, ['Sandbox table']),
  ]);
}

/** A dead-letter queue hangs under the box that fills it. */
function deadLetters(name: DeadLetterQueueName, x: number, y: number, width: number, when = ''): Drawn {
  const words = [wordsOf(name), when].filter(Boolean).join(' ');
  const boxWidth = words.length * 6.2 + 12;
  const middle = x + width / 2;
  return [line('failed', middle, y, middle, y + 10), box('dead', middle - boxWidth / 2, y + 10, boxWidth, 22, [words])];
}

function drawLegend(y: number): Drawn {
  const marks: readonly (readonly [Access, string])[] = [
    ['reads', 'reads'],
    ['writes', 'reads and writes'],
    ['calls', 'calls'],
  ];
  return [
    box('dead', X.partners, y - 11, 110, 22, ['Dead-letter queue']),
    text('note', X.partners + 118, y + 4, 'where messages go that could not be delivered; an alarm watches each'),
    ...marks.flatMap(([access, words], index) => [
      mark(markOf(access), X.things - 30 + index * 100 + (index === 2 ? 40 : 0), y),
      text('note', X.things - 18 + index * 100 + (index === 2 ? 40 : 0), y + 4, words),
    ]),
  ];
}
