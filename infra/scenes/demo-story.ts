import * as z from 'zod/mini';
import type { LocalRun } from '../local/local-run.ts';
import type { CallKind } from '../../functions/simulator/plangrep-calls.ts';

/** One request of the story, and what must come back. */
interface Scene {
  readonly title: string;
  readonly externalId: string;
  readonly status: number;
  /** The fields that matter: shown, and compared. */
  readonly fields: Readonly<Record<string, string | number>>;
  /** Calls that reach Plangrep. */
  readonly calls: Readonly<Partial<Record<CallKind, number>>>;
}

export interface Told {
  readonly title: string;
  readonly request: { readonly method: 'POST'; readonly path: string; readonly body: unknown };
  readonly status: number;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly calls: Readonly<Record<string, number>>;
  /** What differs from the story; empty when nothing does. */
  readonly differences: readonly string[];
}

const path = '/v1/cancellations';
const cancelled = {
  outcome: 'cancelled',
  jobStatus: 'cancelled',
  pages: '63 of 204',
  credits: 63,
  jobId: 'job_01hy3m8qtn2e5r7k9p0w4x1def',
};
const slow = 'job_slow00000000000000000007891';
const scenes: readonly Scene[] = [
  { title: 'Cancel a running job', externalId: 'order-7890', status: 200, fields: cancelled, calls: { cancel: 1 } },
  { title: 'Cancel it again', externalId: 'order-7890', status: 200, fields: cancelled, calls: {} },
  {
    title: 'One that is still processing',
    externalId: 'order-7891',
    status: 202,
    fields: { state: 'open', jobStatus: 'processing', Location: `${path}/${slow}` },
    calls: { cancel: 1 },
  },
  {
    title: 'One that completed first',
    externalId: 'order-7892',
    status: 409,
    fields: { code: 'job_already_terminal', jobStatus: 'completed', outcome: 'too_late' },
    calls: { cancel: 1, read: 1 },
  },
  {
    title: 'Two unfinished jobs have this externalId',
    externalId: 'order-7893',
    status: 409,
    fields: {
      code: 'ambiguous_external_id',
      candidates: 'job_twin20000000000000000007893, job_twin10000000000000000007893',
    },
    calls: { read: 2 },
  },
  {
    title: "Another partner's externalId",
    externalId: 'order-9001',
    status: 404,
    fields: { code: 'job_not_found' },
    calls: {},
  },
];

const scalar = z.optional(z.nullable(z.union([z.string(), z.number()])));
const cancellation = {
  jobId: scalar,
  state: scalar,
  outcome: scalar,
  jobStatus: scalar,
  pageCount: scalar,
  successfulPageCount: scalar,
  creditsDebited: scalar,
};
const answerSchema = z.object({
  ...cancellation,
  code: scalar,
  cancellation: z.optional(z.object(cancellation)),
  candidates: z.optional(z.array(z.object({ jobId: z.string() }))),
});

/** An answer flattened to the names that the scenes go by. */
const digest = (body: unknown, location: string | null): Record<string, unknown> => {
  const answer = answerSchema.parse(body);
  const { pageCount, successfulPageCount, creditsDebited, candidates } = answer;
  return {
    ...answer.cancellation,
    ...answer,
    pages: `${successfulPageCount} of ${pageCount}`,
    credits: creditsDebited,
    candidates: candidates?.map(({ jobId }) => jobId).join(', '),
    Location: location,
  };
};

/** Tells one scene after the other as `acme`, each with the calls that the simulator saw meanwhile. */
export async function* tellStory({ baseUrl, partners, simulator }: LocalRun): AsyncGenerator<Told> {
  if (simulator === undefined) throw new Error('The story needs the simulator');
  const token = partners.find(({ partnerId }) => partnerId === 'acme')?.token;
  for (const { title, externalId, status, fields, calls } of scenes) {
    simulator.requests.clear();
    const body = { externalId };
    const response = await fetch(baseUrl + path, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const found = digest(await response.json(), response.headers.get('Location'));
    const shown = Object.fromEntries(Object.keys(fields).map((name) => [name, String(found[name])]));
    const seen: Record<string, number> = {};
    for (const { kind } of simulator.requests.all()) seen[kind] = (seen[kind] ?? 0) + 1;
    const { cancel = 0, read = 0 } = seen;
    const pairs: [string, unknown, unknown][] = [
      ['status', response.status, status],
      ...Object.entries(fields).map(([name, value]): [string, unknown, unknown] => [name, shown[name], value]),
      ['cancel calls', cancel, calls.cancel ?? 0],
      ['read calls', read, calls.read ?? 0],
    ];
    yield {
      title,
      request: { method: 'POST', path, body },
      status: response.status,
      fields: shown,
      calls: seen,
      differences: pairs
        .filter(([, is, should]) => String(is) !== String(should))
        .map(([name, is, should]) => `${name} is ${String(is)}, the story says ${String(should)}`),
    };
  }
}
