import { afterEach, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { type ProblemCode, problems } from '../../../functions/contract/problems.ts';
import { prepareScene, type SceneRequest, setMood } from '../../../infra/local/console/set-scene.ts';
import { problemScenes } from '../../../infra/scenes/faults-and-problems.ts';
import { givenService } from '../../support/given-service.ts';

const codes = Object.keys(problems).filter((code): code is ProblemCode => Object.hasOwn(problems, code));
const bodySchema = z.looseObject({ type: z.optional(z.string()) });

describe('Every documented problem', () => {
  const service = givenService();
  afterEach(() => setMood('normal', service.run));

  const send = async ({ method, path, headers, body }: SceneRequest) => {
    const response = await fetch(service.run.baseUrl + path, {
      method,
      headers: { ...headers },
      ...(body && { body }),
    });
    return { status: response.status, headers: response.headers, body: bodySchema.parse(await response.json()) };
  };

  test.each(codes)('%s can be met on a local run, and its type is a page about it', async (code) => {
    const { status, title, retryable } = problems[code];
    const requests = await prepareScene(code, service.run);

    const answers = [];
    for (const request of requests) answers.push(await send(request));
    const last = answers.at(-1);
    setMood('normal', service.run);
    const page = await fetch(new URL(last?.body.type ?? '', service.run.baseUrl));

    for (const { body } of answers.slice(0, -1)) expect(body).not.toHaveProperty('code');
    expect(last).toMatchObject({ status, body: { type: `/problems/${code}`, code, status, title, retryable } });
    expect(last?.headers.get('content-type')).toBe('application/problem+json');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await page.text()).toContain(`<code>${code}</code>`);
  });

  test('is over once everything is back to normal', async () => {
    for (const { mood } of Object.values(problemScenes)) if (mood !== undefined) setMood(mood, service.run);
    setMood('normal', service.run);

    const answers = await Promise.all(Array.from({ length: 5 }, () => service.cancel({ externalId: 'order-7890' })));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });
});
