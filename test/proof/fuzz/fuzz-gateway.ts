import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { startTestRun, type TestRun } from '../../support/local-run.ts';
import type { HttpRequest } from '../crash/lambda-events.ts';
import { Random } from '../simulation/random.ts';
import { judgeAnswer, type Statuses } from './fuzz-http.ts';
import { type HttpDoor, httpDoors, inputs, world } from './http-inputs.ts';

const IN_FLIGHT = 8;

/** The same inputs through the local gateway and the bundles, as far as an HTTP client can be made to send them. */
export const fuzzGateway = async (count: number, seed: number, statuses: Statuses): Promise<string[]> => {
  const run = await startTestRun();
  try {
    const { own, ended, twins, foreign } = world;
    await run.call('globex', `PUT /v1/jobs/${foreign.jobId}`, { externalId: foreign.externalId });
    await run.addJob(own.externalId, own.jobId);
    await run.addJob(ended.externalId, ended.jobId, { status: 'completed' });
    for (const jobId of twins.jobIds) await run.addJob(twins.externalId, jobId);
    const wrong: string[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let n = next++; n < count; n = next++) {
        const door = httpDoors[n % httpDoors.length] ?? 'POST cancellations';
        wrong.push(...(await play(run, door, seed + n, statuses)));
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
    return wrong;
  } finally {
    await run.close();
  }
};

const play = async (run: TestRun, door: HttpDoor, seed: number, statuses: Statuses): Promise<string[]> => {
  const request = inputs[door](new Random(seed));
  try {
    const { status, contentType, body } = await send(run, request);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    // A path that is another route's is answered as that route answers.
    const found = status < 400 && door === 'GET by job' && request.path.endsWith('/') ? 'GET by externalId' : door;
    return judgeAnswer(found, status, contentType, body).map((what) => `gateway, ${door}, --seed ${seed}: ${what}`);
  } catch (error) {
    return [`gateway, ${door}, --seed ${seed}: ${String(error)}`];
  }
};

const isSendable = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value);

const send = (run: TestRun, { method, path, query = {}, headers = {}, body, isBase64Encoded = false }: HttpRequest) =>
  new Promise<{ status: number; contentType: string; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(run.baseUrl);
    const pairs = Object.entries(query).flatMap(([name, values]) =>
      values.map((value) => `${encode(name)}=${encode(value)}`),
    );
    const target = path.replace(/[^\x21-\x7e]/g, encode).replaceAll('#', '%23');
    const sendable = Object.entries(headers)
      .map(([name, values]): [string, string[]] => [name, values.filter(isSendable)])
      .filter(([, values]) => values.length > 0);
    const authorization = `Bearer ${run.partners.find(({ partnerId }) => partnerId === 'acme')?.token}`;
    const outgoing = httpRequest({
      hostname,
      port,
      method,
      path: pairs.length > 0 ? `${target}?${pairs.join('&')}` : target,
      headers: { ...Object.fromEntries(sendable), Authorization: authorization },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const read = (content: string): void =>
        resolve({
          status: response.statusCode ?? 0,
          contentType: String(response.headers['content-type']),
          body: content,
        });
      text(response).then(read, reject);
    });
    outgoing.end(isBase64Encoded ? Buffer.from(body ?? '', 'base64') : body);
  });

const encode = (value: string): string => encodeURIComponent(value.toWellFormed());
