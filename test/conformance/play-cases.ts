import { readFileSync } from 'node:fs';
import { answer, type FrontServer, relay } from '../support/front-server.ts';
import type { TestRun } from '../support/local-run.ts';
import {
  callbackOfNow,
  callbackSecrets,
  forgeCallbacks,
  signBySpecification,
} from '../support/callbacks/callback-mutations.ts';
import type { Runner, RunnerAnswer } from './start-runner.ts';

type JobFields = Parameters<TestRun['addJob']>[2];
interface Case {
  readonly name: string;
  /** The job that the externalId stands for, and another one; absent: none. */
  readonly job?: JobFields;
  readonly twin?: JobFields;
  /** The first request gets this answer, and does not reach the service. */
  readonly failsFirst?: { readonly status: number; readonly retryAfter: number };
  readonly isDown?: boolean;
  readonly steps: readonly {
    readonly call: 'cancel' | 'wait';
    /** Which job the call names by its jobId; absent: none. */
    readonly names?: 'job' | 'twin';
    readonly expect: { readonly result: string; readonly requests?: number };
  }[];
}

/** How a case ended. `unsupported`: the runner cannot make one of its calls. */
export interface Played {
  readonly name: string;
  readonly result: 'passed' | 'failed' | 'unsupported';
  readonly why?: string;
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8'));

/** Plays every case with a runner, one after the other. @param onPlayed after each, for the progress */
export async function playCases(
  runner: Runner,
  {
    run,
    front,
    onPlayed,
  }: { readonly run: TestRun; readonly front: FrontServer; readonly onPlayed: (one: Played) => void },
): Promise<readonly Played[]> {
  const played: Played[] = [];
  const add = (one: Played): void => {
    played.push(one);
    onPlayed(one);
  };
  const series = `conformance ${Date.now()}`;
  for (const [number, one] of cases.entries()) add(await playCase(one, `${series} ${number}`));
  for (const one of callbackCases()) add(await playCallback(one));
  return played;

  async function playCase({ name, job, twin, failsFirst, isDown, steps }: Case, externalId: string): Promise<Played> {
    const jobIds = { job: externalId.replaceAll(' ', '_'), twin: `${externalId}_twin`.replaceAll(' ', '_') };
    if (job !== undefined) await run.addJob(externalId, jobIds.job, job);
    if (twin !== undefined) await run.addJob(externalId, jobIds.twin, twin);
    const since = front.requests.length;
    if (failsFirst !== undefined) failOnce(failsFirst);
    const baseUrl = isDown === true ? 'http://127.0.0.1:9' : front.url;
    const credential = run.partners.find(({ partnerId }) => partnerId === 'acme')?.token ?? '';
    for (const { call, names, expect } of steps) {
      const jobId = call === 'wait' ? jobIds.job : names && jobIds[names];
      const said = await runner.ask({ case: name, call, baseUrl, credential, externalId, jobId });
      const requests = front.requests.slice(since);
      const keys = new Set(requests.map(({ headers }) => headers['idempotency-key']));
      const wrong = compare(expect.result, said) ?? (expect.requests === undefined ? undefined : judgeRepeats());
      if (said.result === 'unsupported') return { name, result: 'unsupported', why: `It cannot ${call}.` };
      if (wrong !== undefined) return { name, result: 'failed', why: `${call}: ${wrong}` };

      function judgeRepeats(): string | undefined {
        if (requests.length !== expect.requests) return `it sent ${requests.length} requests, not ${expect.requests}`;
        return keys.size === 1 && !keys.has(undefined) ? undefined : 'its requests have not the same Idempotency-Key';
      }
    }
    return { name, result: 'passed' };
  }

  /** A repeat that comes too soon gets the same answer again. */
  function failOnce({ status, retryAfter }: NonNullable<Case['failsFirst']>): void {
    const busy = answer(status, { 'Retry-After': String(retryAfter), 'Content-Type': 'application/json' }, '{}');
    let isOver = false;
    front.misbehave(
      (response, pass) => {
        setTimeout(() => (isOver = true), retryAfter * 1000 - 100);
        return busy(response, pass);
      },
      async (response, pass) => (isOver ? relay(response, await pass()) : busy(response, pass)),
    );
  }

  async function playCallback({ name, expect, ...call }: ReturnType<typeof callbackCases>[number]): Promise<Played> {
    const said = await runner.ask({ case: name, call: 'verify', ...call });
    if (said.result === 'unsupported') return { name, result: 'unsupported', why: 'It cannot verify.' };
    const wrong = compare(expect, said);
    return wrong === undefined ? { name, result: 'passed' } : { name, result: 'failed', why: wrong };
  }
}

function compare(expected: string, { result, detail }: RunnerAnswer): string | undefined {
  return result === expected
    ? undefined
    : `${result} instead of ${expected}${detail === undefined ? '' : ` (${detail})`}`;
}

/** Callbacks as the service signs them, and every forgery. */
function callbackCases() {
  const toSign = callbackOfNow();
  const rotated = callbackOfNow({ secrets: [callbackSecrets.previous, callbackSecrets.valid] });
  const secrets = [callbackSecrets.valid];
  const both = [callbackSecrets.valid, callbackSecrets.previous];
  const byPrevious = signBySpecification(callbackOfNow({ secrets: [callbackSecrets.previous] }));
  return [
    { name: 'a callback is accepted', ...signBySpecification(toSign), secrets, expect: 'accepted' },
    {
      name: 'a callback is accepted by one of two signatures',
      ...signBySpecification(rotated),
      secrets,
      expect: 'accepted',
    },
    { name: 'a callback is accepted by one of two secrets', ...byPrevious, secrets: both, expect: 'accepted' },
    ...forgeCallbacks(toSign).map(({ mutation, headers, body }) => ({
      name: `a callback is refused: ${mutation}`,
      headers,
      body,
      secrets,
      expect: 'refused',
    })),
  ];
}
