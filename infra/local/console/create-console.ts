import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import * as z from 'zod/mini';
import { problems } from '../../../functions/contract/problems.ts';
import { describeMood, isMoodId, moods, problemScenes } from '../../scenes/faults-and-problems.ts';
import { freshJobKinds, projects, stories } from '../../scenes/stories.ts';
import { isSame } from '../aws/access-keys.ts';
import { checkSource, validateJson } from '../aws/loopback.ts';
import type { RunParts } from '../run.ts';
import { proveKey } from '../credentials/console-key.ts';
import { createLook } from './list-cancellations.ts';
import { endpoints, isForReceiver, receiveCallback, setEndpoint } from './receive-callbacks.ts';
import { addFreshJob, canHave, prepareScene, setMood } from './set-scene.ts';
import { type CurrentScene, watchRun } from './watch-run.ts';

/**
 * The local run's console, on the gateway's port under `/console`: watches, tries, and changes the mood. It reads the
 * run's own tables with the code that the API reads them with.
 * @returns a listener that says whether it took the request
 */
export function createConsole(parts: RunParts) {
  const scene: CurrentScene = { mood: 'normal', answer: 'confirms' };
  const look = createLook(parts.dynamodb);
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const path = (request.url ?? '').replace(/\?.*$/s, '');
    if (path !== '/console' && !path.startsWith('/console/')) return false;
    const reply = ({ status, contentType, body }: Reply): void => {
      response.writeHead(status, { ...headers, 'Content-Type': contentType }).end(body);
    };
    const rejection = rejectionOf(request, path, parts.consoleKey);
    if (rejection !== undefined) {
      reply(rejection);
      return true;
    }
    if (path === '/console/api/watch' && request.method === 'GET') {
      // It fails when the page goes away or the run ends: no page is left to notify.
      watchRun(response, parts, look, scene).catch(() => response.destroy());
      return true;
    }
    answer(request, path, parts, scene).then(reply, (error: unknown) => reply(wrong(500, String(error))));
    return true;
  };
}

const headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * The console shows credentials and changes the run: no page of another origin may reach it, and its API needs the key
 * that only the printed address has, since every user of this machine can connect to its ports.
 */
function rejectionOf(request: IncomingMessage, path: string, key: string): Reply | undefined {
  const source = checkSource(request);
  if (source.kind === 'foreign') return wrong(403, source.why);
  const isOpen = !path.startsWith('/console/api/') || path === '/console/api/proof';
  if (isOpen || isSame(request.headers.authorization ?? '', `Bearer ${key}`)) return undefined;
  return wrong(401, 'The console needs the key of this run: open the whole address that "npm start" printed.');
}

interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
}

function json(status: number, body: object): Reply {
  return { status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}

function wrong(status: number, message: string): Reply {
  return json(status, { message });
}

const page = new URL('./page/', import.meta.url);
const pages = new URL('../../../functions/pages/browser/', import.meta.url);
const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';
const scripts = [
  'access',
  'console',
  'draw-timeline',
  'draw-way',
  'list-cancellations',
  'make-element',
  'send-request',
  'show-answer',
  'show-connection',
  'show-happening',
  'show-scenes',
];
/** The page's files. The design is the documentation's. */
export const files: Readonly<Record<string, readonly [URL, string]>> = {
  '/console': [new URL('console.html', page), 'text/html; charset=utf-8'],
  '/console/design.css': [new URL('design.css', pages), style],
  '/console/components.css': [new URL('components.css', pages), style],
  '/console/copy-code.js': [new URL('copy-code.client.js', pages), script],
  '/console/write-code.js': [new URL('write-code.client.js', pages), script],
  ...Object.fromEntries(
    ['console', 'happening', 'list'].map((name) => [`/console/${name}.css`, [new URL(`${name}.css`, page), style]]),
  ),
  ...Object.fromEntries(scripts.map((name) => [`/console/${name}.js`, [new URL(`${name}.js`, page), script]])),
};

async function answer(request: IncomingMessage, path: string, parts: RunParts, scene: CurrentScene): Promise<Reply> {
  if (request.method === 'POST' && isForReceiver(path)) {
    const { status, message } = await receiveCallback(request, { path, answer: scene.answer, parts });
    return { status, contentType: 'text/plain; charset=utf-8', body: message };
  }
  if (request.method === 'POST') return act(request, path, parts, scene);
  if (request.method !== 'GET') return wrong(405, 'The console takes GET and POST.');
  if (path === '/console/api/facts') return json(200, facts(parts));
  if (path === '/console/api/proof') return proof(request, parts.consoleKey);
  const file = Object.hasOwn(files, path) ? files[path] : undefined;
  if (file === undefined) return wrong(404, 'The console has no such address.');
  return { status: 200, contentType: file[1], body: await readFile(file[0]) };
}

const noncePattern = /^\/console\/api\/proof\?nonce=([\w-]{16,64})$/;

/** Before a page sends its key it asks for this, since another program may have taken the port after a run. */
function proof({ url = '', headers: { host = '' } }: IncomingMessage, key: string): Reply {
  const [, nonce] = noncePattern.exec(url) ?? [];
  if (nonce === undefined) return wrong(400, 'The nonce must be 16 to 64 letters, digits, "-" and "_".');
  return { status: 200, contentType: 'text/plain; charset=utf-8', body: proveKey(key, host, nonce) };
}

/** What the page offers. Fresh jobs and problems need the simulator. */
function facts(parts: RunParts) {
  const isSimulated = parts.simulator !== undefined;
  return {
    partners: parts.partners.map(({ partnerId, token }) => ({ partnerId, token })),
    moods: Object.entries(moods).flatMap(([id, one]) =>
      isMoodId(id) && canHave(id, parts) ? [{ id, title: one.title, what: describeMood(one) }] : [],
    ),
    jobKinds: Object.entries(isSimulated ? freshJobKinds : {}).map(([id, { plangrep }]) => ({ id, title: plangrep })),
    endpoints: Object.entries(endpoints).map(([id, { title, what }]) => ({ id, title, what })),
    stories: stories.map(({ externalId, what, cancels: [first] }) => ({
      externalId,
      what,
      status: first?.status ?? null,
    })),
    problems: (isSimulated ? problemCodes : []).map((code) => ({
      code,
      how: problemScenes[code].how,
      status: problems[code].status,
    })),
  };
}

const endpointInput = z.strictObject({ endpoint: oneOf(endpoints) });
const moodInput = z.strictObject({ mood: z.nullable(oneOf(moods)) });
const problemCode = oneOf(problems);
const problemCodes = problemCode.options;
const sceneInput = z.strictObject({ code: problemCode });
const jobInput = z.strictObject({ partnerId: oneOf(projects), kind: oneOf(freshJobKinds) });

function oneOf<Name extends string>(names: Readonly<Record<Name, unknown>>) {
  return z.enum(Object.keys(names).filter((name): name is Name => Object.hasOwn(names, name)));
}

async function act(request: IncomingMessage, path: string, parts: RunParts, scene: CurrentScene): Promise<Reply> {
  const { simulator } = parts;
  const body = await text(request);
  if (path === '/console/api/endpoint') {
    const input = validateJson(endpointInput, body);
    if (!input.valid) return wrong(400, input.message);
    const { endpoint } = input.value;
    if (endpoint !== 'none') scene.answer = endpoint;
    await setEndpoint(endpoint, request.socket.localPort ?? 0, parts);
    return json(200, { endpoint });
  }
  if (path === '/console/api/mood') {
    const input = validateJson(moodInput, body);
    if (!input.valid) return wrong(400, input.message);
    const next = input.value.mood ?? 'normal';
    if (next !== 'normal' && !canHave(next, parts)) return wrong(409, 'Only the simulator has moods.');
    setMood(next, parts);
    scene.mood = next;
    return json(200, { mood: input.value.mood });
  }
  if (simulator === undefined) return wrong(409, 'Jobs can be added only to the simulator.');
  if (path === '/console/api/jobs') {
    const input = validateJson(jobInput, body);
    if (!input.valid) return wrong(400, input.message);
    return json(201, await addFreshJob(input.value.partnerId, input.value.kind, { ...parts, simulator }));
  }
  if (path === '/console/api/scenes') {
    const input = validateJson(sceneInput, body);
    if (!input.valid) return wrong(400, input.message);
    setMood('normal', parts);
    scene.mood = 'normal';
    const requests = await prepareScene(input.value.code, { ...parts, simulator });
    scene.mood = problemScenes[input.value.code].mood ?? 'normal';
    return json(201, { requests });
  }
  return wrong(404, 'The console has no such address.');
}
