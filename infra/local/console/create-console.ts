import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import * as z from 'zod/mini';
import { problems } from '../../../functions/contract/problems.ts';
import type { LocalDynamoDb } from '../aws/dynamodb.ts';
import type { PlangrepSimulator } from '../plangrep/plangrep-simulator.ts';
import type { PartnerCredential } from '../seed-tables.ts';
import { seededPartners } from '../seeds.ts';
import type { ServiceFaults } from '../aws/service-faults.ts';
import { validate } from '../aws/validate.ts';
import { whyRefused } from './check-request.ts';
import { addFreshJob, freshJobKinds } from '../../scenes/fresh-jobs.ts';
import { canHave, isMoodId, type MoodId, moods, setMood } from '../../scenes/moods.ts';
import { prepareScene, problemScenes } from '../../scenes/problem-scenes.ts';
import { watchRun } from './watch-run.ts';

export interface ConsoleParts {
  readonly dynamodb: LocalDynamoDb;
  /** Absent with another upstream. */
  readonly simulator?: PlangrepSimulator | undefined;
  readonly partners: readonly PartnerCredential[];
  readonly faults: ServiceFaults;
}

interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
}

const json = (status: number, body: object): Reply => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
});
const wrong = (status: number, message: string): Reply => json(status, { message });

const here = new URL('./page/', import.meta.url);
const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';
/** The page's files. The palette is the documentation's. */
const files: Readonly<Record<string, readonly [URL, string]>> = {
  '/console': [new URL('console.html', here), 'text/html; charset=utf-8'],
  '/console/page.css': [new URL('../../../functions/pages/page.css', import.meta.url), style],
  '/console/console.css': [new URL('console.css', here), style],
  ...Object.fromEntries(
    ['console.js', 'draw-timeline.js', 'list-cancellations.js', 'send-request.js'].map((name) => [
      `/console/${name}`,
      [new URL(name, here), script],
    ]),
  ),
};

const headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

const oneOf = <Name extends string>(names: Readonly<Record<Name, unknown>>) =>
  z.enum(Object.keys(names).filter((name): name is Name => Object.hasOwn(names, name)));
const moodInput = z.strictObject({ mood: z.nullable(oneOf(moods)) });
const sceneInput = z.strictObject({ code: oneOf(problems) });
const jobInput = z.strictObject({
  partnerId: z.enum(seededPartners.map(({ partnerId }) => partnerId)),
  kind: oneOf(freshJobKinds),
});

const parse = <Value>(schema: z.ZodMiniType<Value>, body: string) => {
  try {
    return validate(schema, JSON.parse(body));
  } catch {
    return { valid: false, message: 'The body is no JSON.' } as const;
  }
};

/**
 * The local run's console, on the gateway's port under `/console`: watches, tries, and changes the mood. It reads the
 * run's own tables with the code that the API reads them with.
 * @returns a listener that says whether it took the request
 */
export const createConsole = (parts: ConsoleParts) => {
  const { simulator } = parts;
  let mood: MoodId | undefined;
  const changeMood = (next: MoodId | undefined): void => {
    setMood(next, parts);
    mood = next;
  };

  const facts = (): Reply =>
    json(200, {
      partners: parts.partners.map(({ partnerId, token }) => ({ partnerId, token })),
      moods: Object.entries(moods).flatMap(([id, { title, what }]) =>
        isMoodId(id) && canHave(id, parts) ? [{ id, title, what }] : [],
      ),
      jobKinds: Object.entries(simulator === undefined ? {} : freshJobKinds).map(([id, { title }]) => ({ id, title })),
      stories: seededPartners.flatMap(({ partnerId, jobs }) =>
        jobs.map(({ fields: { externalId }, story }) => ({ partnerId, externalId, story })),
      ),
      problems: Object.entries(simulator === undefined ? {} : problemScenes).map(([code, { how }]) => ({ code, how })),
    });

  const act = async (path: string, body: string): Promise<Reply> => {
    if (path === '/console/api/mood') {
      const input = parse(moodInput, body);
      if (!input.valid) return wrong(400, input.message);
      const next = input.value.mood ?? undefined;
      if (next !== undefined && !canHave(next, parts)) return wrong(409, 'Only the simulator has moods.');
      changeMood(next);
      return json(200, { mood: next ?? null });
    }
    if (simulator === undefined) return wrong(409, 'Jobs can be added to the simulator alone.');
    if (path === '/console/api/jobs') {
      const input = parse(jobInput, body);
      if (!input.valid) return wrong(400, input.message);
      return json(201, await addFreshJob(input.value.partnerId, input.value.kind, { ...parts, simulator }));
    }
    if (path === '/console/api/scenes') {
      const input = parse(sceneInput, body);
      if (!input.valid) return wrong(400, input.message);
      changeMood(undefined);
      const requests = await prepareScene(input.value.code, { ...parts, simulator });
      mood = problemScenes[input.value.code].mood;
      return json(201, { requests });
    }
    return wrong(404, 'The console has no such address.');
  };

  const answer = async (request: IncomingMessage, path: string): Promise<Reply> => {
    const refused = whyRefused(request);
    if (refused !== undefined) return wrong(403, refused);
    if (request.method === 'POST') return act(path, await text(request));
    if (request.method !== 'GET') return wrong(405, 'The console takes GET and POST.');
    if (path === '/console/api/facts') return facts();
    const file = Object.hasOwn(files, path) ? files[path] : undefined;
    if (file === undefined) return wrong(404, 'The console has no such address.');
    return { status: 200, contentType: file[1], body: await readFile(file[0]) };
  };

  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const path = (request.url ?? '').replace(/\?.*$/s, '');
    if (path !== '/console' && !path.startsWith('/console/')) return false;
    const reply = ({ status, contentType, body }: Reply): void => {
      response.writeHead(status, { ...headers, 'Content-Type': contentType }).end(body);
    };
    if (path === '/console/api/watch' && request.method === 'GET' && whyRefused(request) === undefined) {
      // A page that goes away, or the end of the run: nobody is left to tell.
      watchRun(response, { dynamodb: parts.dynamodb, mood: () => mood }).catch(() => response.destroy());
      return true;
    }
    answer(request, path).then(reply, (error: unknown) => reply(wrong(500, String(error))));
    return true;
  };
};
