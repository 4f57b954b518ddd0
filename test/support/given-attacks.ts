import { expect, vi } from 'vitest';
import { projects } from '../../infra/scenes/stories.ts';
import type { serviceFunctions } from '../../infra/blueprint/functions.ts';
import { givenService, type JobNames, type Service } from './given-service.ts';
import { callAs, type PartnerId } from './local-run.ts';

type JobFields = Parameters<Service['newJob']>[0];

/** What a caller sees of an answer, without what differs from request to request: the time and the request's id. */
export interface Seen {
  readonly status: number;
  readonly headers: readonly (readonly string[])[];
  readonly text: string;
}

/** globex has jobs, and acme attacks them. */
export interface Attacks {
  readonly service: Service;
  /** A job of globex's: in its project at Plangrep, and registered. */
  readonly victimJob: (fields?: JobFields) => Promise<JobNames>;
  /** What a caller sees of each request that can be made about a job, by what was asked. */
  readonly probe: (names: JobNames, partner?: PartnerId) => Promise<Readonly<Record<string, Seen>>>;
  /** Checks that acme sees of a job exactly, byte for byte, what it sees of a job that does not exist. */
  readonly expectUnknown: (names: JobNames) => Promise<void>;
  /** Checks that globex's job is as it was, and that globex can still register, cancel and read it. */
  readonly expectUnharmed: (names: JobNames) => Promise<void>;
  /** The number of job reads and of listings that Plangrep receives while `act` runs. */
  readonly callsDuring: (act: () => Promise<unknown>) => Promise<{ readonly reads: number; readonly lists: number }>;
  /** Ends a function's container: the next invocation starts with empty memory, as after its caches have expired. */
  readonly restart: (...functionNames: (keyof typeof serviceFunctions)[]) => Promise<void>;
}

/** Pages that no other job has: seen by acme, they have leaked. */
const pages = { pageCount: 48_151, successfulPageCount: 16_234, billing: { creditsDebited: 16_234 } };
const victimFields = { status: 'processing', projectId: projects.globex, ...pages };
const differing = new Set(['date', 'x-request-id', 'x-amzn-requestid', 'x-amz-apigw-id']);

export async function see(service: Service, ...call: Parameters<Service['run']['call']>): Promise<Seen> {
  const { status, headers, text, body } = await callAs(service.run, ...call);
  const requestId = String(body['requestId']);
  return {
    status,
    headers: [...headers].filter(([name]) => !differing.has(name)),
    text: text.replace(`"requestId":"${requestId}"`, '"requestId":""'),
  };
}

/** What a partner sees of an externalId that it has asked for in vain: its own requests, and nothing of any job. */
const nothingElse = { cancellations: [], nextCursor: null };

/** Its own requests are not compared: how many there were, and when, differs. */
function withoutOwnRequests({ status, headers, text }: Seen): Seen {
  const { refusals: _, refusedCount: __, ...body } = JSON.parse(text);
  return { status, headers: headers.filter(([name]) => name !== 'content-length'), text: JSON.stringify(body) };
}

/** Starts the service before the tests of this file: one container per function, so that its memory is one. */
export function givenAttacks(options: Parameters<typeof givenService>[0] = {}): Attacks {
  const service = givenService({ containersPerFunction: 1, queueVisibilityMs: 50, ...options });
  const registrations = new Map<string, Seen>();
  const put = (by: PartnerId, { jobId, externalId }: JobNames): Promise<Seen> =>
    see(service, by, `PUT /v1/jobs/${jobId}`, { externalId });

  const attacks: Attacks = {
    service,
    async victimJob(fields = {}) {
      const names = service.newNames();
      service.run.simulator.addJob({ id: names.jobId, externalId: names.externalId, ...victimFields, ...fields });
      const registered = await put('globex', names);
      expect(registered).toMatchObject({ status: 200, text: expect.stringContaining(projects.globex) });
      registrations.set(names.jobId, registered);
      return names;
    },
    async probe(names, partner = 'acme') {
      const { jobId, externalId } = names;
      const path = '/v1/cancellations';
      const post = (body: object, headers = {}) => see(service, partner, `POST ${path}`, body, headers);
      const key = { 'Idempotency-Key': service.newNames().jobId };
      return {
        'register it': await put(partner, names),
        'cancel by externalId': await post({ externalId }),
        'cancel by jobId': await post({ externalId, jobId }),
        'cancel with a key': await post({ externalId }, key),
        'cancel with the key again': await post({ externalId }, key),
        'read by externalId': withoutOwnRequests(
          await see(service, partner, `GET ${path}?externalId=${encodeURIComponent(externalId)}`),
        ),
        'read by jobId': await see(service, partner, `GET ${path}/${jobId}`),
      };
    },
    async expectUnknown(names) {
      const unknown = await attacks.probe(service.newNames());
      const seen = await attacks.probe(names);

      for (const [asked, { status, text }] of Object.entries(unknown)) {
        if (asked === 'read by externalId') expect(JSON.parse(text)).toEqual(nothingElse);
        else expect([status, JSON.parse(text).code], asked).toEqual([404, 'job_not_found']);
      }
      expect(seen).toEqual(unknown);
    },
    async expectUnharmed(names) {
      const { jobId, externalId } = names;
      expect(service.run.simulator.job(jobId)).toMatchObject({ externalId, ...victimFields });
      expect(await put('globex', names)).toEqual(registrations.get(jobId));

      const cancelled = await service.cancel({ externalId }, { partner: 'globex' });
      expect(cancelled).toMatchObject({ status: 200, body: { jobId, outcome: 'cancelled' } });
      const { body } = await service.show(jobId, 'globex');
      expect(body).toMatchObject({ outcome: 'cancelled', pageCount: 48_151, successfulPageCount: 16_234, attempts: 1 });
      expect((await service.list(externalId, 'globex')).body).toMatchObject({ cancellations: [body] });
      expect(service.run.simulator.requests.count('cancel', jobId)).toBe(1);
      expect(service.run.logs.filter((line) => line.includes(externalId))).toEqual([]);
    },
    async callsDuring(act) {
      const { requests } = service.run.simulator;
      const count = () => ({ reads: requests.count('read'), lists: requests.count('list') });
      const before = count();
      await act();
      const after = count();
      return { reads: after.reads - before.reads, lists: after.lists - before.lists };
    },
    async restart(...functionNames) {
      for (const name of functionNames) await vi.waitFor(() => endContainer(service, name));
    },
  };
  return attacks;
}

/** @throws when the function answered before its container ended */
async function endContainer(service: Service, functionName: string): Promise<void> {
  const ended = await service.run.lambda.invoke(functionName, {}, { crashes: true });
  expect(ended).toMatchObject({ errorType: 'Runtime.ExitError' });
}
