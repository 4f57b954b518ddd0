import { previewPath } from '../../../../functions/contract/routes.ts';
import { type Check, type Fault, same } from '../check.ts';
import { expectHeader, expectProblem, expectStatus, pick } from '../expect-answer.ts';
import { type Answer, isObject, type Sent } from '../send-request.ts';
import type { OperatorStage } from '../stage.ts';

const lookAt = 'docs/sandbox.md, npm run ops -- find REQUESTID';

/** A job of the sandbox that no other check and no other run has. */
export interface OwnJob {
  readonly jobId: string;
  readonly externalId: string;
}

/** @param kind a name of functions/simulator/sandbox-jobs.ts */
export function ownJob({ partners }: Pick<OperatorStage, 'partners'>, kind: string, check: string): OwnJob {
  const jobId = `job_sandbox_${kind}_${partners.run}-${check}`;
  return { jobId, externalId: `${check} of ${partners.run}` };
}

export async function register(
  { send, partners }: OperatorStage,
  { jobId, externalId }: OwnJob,
  token?: string,
): Promise<Answer> {
  const { credential } = await partners.main();
  return send({ method: 'PUT', path: `/v1/jobs/${jobId}`, token: token ?? credential, body: { externalId } });
}

/** A job of the run's own partner, registered. @throws when it cannot be registered */
export async function registered(stage: OperatorStage, kind: string, check: string): Promise<OwnJob> {
  const job = ownJob(stage, kind, check);
  const { status, body } = await register(stage, job);
  if (status !== 200) throw new Error(`${job.jobId} could not be registered: ${status} ${String(body['code'])}`);
  return job;
}

export async function cancel(
  { send, partners }: OperatorStage,
  body: object,
  headers: Readonly<Record<string, string>> = {},
  how: Pick<Sent, 'unpaced'> = {},
): Promise<Answer> {
  const { credential: token } = await partners.main();
  return send({ method: 'POST', path: '/v1/cancellations', token, body, headers, ...how });
}

export async function show({ send, partners }: OperatorStage, jobId: string): Promise<Answer> {
  const { credential: token } = await partners.main();
  return send({ path: `/v1/cancellations/${jobId}`, token });
}

/** The entries of an answer's timeline of this type. */
export function entriesOf({ body }: Answer, type: string): readonly Readonly<Record<string, unknown>>[] {
  const timeline: unknown = body['timeline'];
  return Array.isArray(timeline) ? timeline.filter(isObject).filter((entry) => entry['type'] === type) : [];
}

export function expectClosed(answer: Answer, outcome: string): readonly Fault[] {
  return same('cancellation', pick(answer.body, ['state', 'outcome']), { state: 'closed', outcome });
}

/** What a caller gets for each story of a job that ends at once. */
export const cancelChecks: readonly Check[] = [
  {
    id: 'cancels.at-once',
    shows: 'a job that Plangrep cancels at once: 200, and its timeline at the Location names the request',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    async run(stage) {
      const { jobId, externalId } = await registered(stage, 'processing', 'at-once');
      const answer = await cancel(stage, { externalId, reason: 'acceptance' });
      const prefix = stage.url.pathname.replace(/\/$/, '');
      const shown = await show(stage, jobId);
      return [
        ...expectStatus(answer, 200),
        ...expectClosed(answer, 'cancelled'),
        ...expectHeader(answer, 'location', `${prefix}/v1/cancellations/${jobId}`),
        ...expectStatus(shown, 200),
        ...same('requestId of the timeline', entriesOf(shown, 'requested')[0]?.['requestId'], answer.requestId),
      ];
    },
  },
  {
    id: 'cancels.too-late',
    shows: 'a job that has already ended: 409 with how it ended',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    async run(stage) {
      const { externalId } = await registered(stage, 'completed', 'too-late');
      const answer = await cancel(stage, { externalId });
      return [
        ...expectProblem(answer, 'job_already_terminal'),
        ...same('jobStatus', answer.body['jobStatus'], 'completed'),
      ];
    },
  },
  {
    id: 'cancels.unknown',
    shows: 'a job that Plangrep does not have, and a name that no job has: one and the same 404',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    async run(stage) {
      const job = ownJob(stage, 'unknown', 'unknown');
      const answers = [await register(stage, job), await cancel(stage, { externalId: job.externalId })];
      const [first, second] = answers.map(({ body }) => body['detail']);
      return [...answers.flatMap((answer) => expectProblem(answer, 'job_not_found')), ...same('detail', second, first)];
    },
  },
  {
    id: 'cancels.ambiguous',
    shows: 'two jobs of one name: 409 with both, and the request with a jobId reaches that one',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    async run(stage) {
      const { externalId, jobId } = await registered(stage, 'processing', 'ambiguous');
      const second = { externalId, jobId: `${jobId}-2` };
      const added = await register(stage, second);
      const [answer, chosen] = [await cancel(stage, { externalId }), await cancel(stage, second)];
      const candidates: unknown = answer.body['candidates'];
      const jobIds = Array.isArray(candidates) ? candidates.filter(isObject).map((one) => String(one['jobId'])) : [];
      return [
        ...expectStatus(added, 200),
        ...expectProblem(answer, 'ambiguous_external_id'),
        ...same('candidates', jobIds.toSorted(), [jobId, second.jobId].toSorted()),
        ...expectStatus(chosen, 200),
        ...same('jobId', chosen.body['jobId'], second.jobId),
      ];
    },
  },
  {
    id: 'cancels.preview',
    shows: 'a preview says what a cancel would do, in the order that was asked for, and does nothing',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    async run(stage) {
      const { externalId, jobId } = await registered(stage, 'processing', 'preview');
      const { credential: token } = await stage.partners.main();
      const externalIds = [`${externalId}, another`, externalId];
      const answer = await stage.send({ method: 'POST', path: previewPath, token, body: { externalIds } });
      const previews: unknown = answer.body['previews'];
      const shown = Array.isArray(previews) ? previews.filter(isObject) : [];
      return [
        ...expectStatus(answer, 200),
        ...same(
          'previews',
          shown.map((preview) => pick(preview, ['externalId', 'state', 'jobId'])),
          [
            { externalId: externalIds[0], state: 'not_found', jobId: null },
            { externalId, state: 'will_cancel', jobId },
          ],
        ),
        ...expectProblem(await show(stage, jobId), 'job_not_found'),
      ];
    },
  },
  {
    id: 'cancels.idempotency-key',
    shows: 'a repeat with the same Idempotency-Key reaches the same cancellation; another body with it: 422',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    async run(stage) {
      const { externalId, jobId } = await registered(stage, 'processing', 'idempotency');
      const key = { 'Idempotency-Key': `${stage.partners.run} idempotency` };
      const [first, again] = [await cancel(stage, { externalId }, key), await cancel(stage, { externalId }, key)];
      const other = await cancel(stage, { externalId: `${externalId}, another` }, key);
      return [
        ...expectStatus(first, 200),
        ...expectStatus(again, 200),
        ...same('jobId', again.body['jobId'], jobId),
        ...expectProblem(other, 'idempotency_key_reused'),
      ];
    },
  },
  {
    id: 'cancels.once',
    shows: 'four requests for one job at the same time: one cancellation, one attempt, three that joined it',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    async run(stage) {
      const { externalId, jobId } = await registered(stage, 'processing', 'once');
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => cancel(stage, { externalId }, {}, { unpaced: true })),
      );
      const unexpected = answers.filter(({ status }) => status !== 200 && status !== 202);
      const shown = await show(stage, jobId);
      return [
        ...same(
          'statuses that are neither 200 nor 202',
          unexpected.map(({ status }) => status),
          [],
        ),
        ...same('requested and joined', [entriesOf(shown, 'requested').length, shown.body['joinedCount']], [1, 3]),
        ...same('attempts', shown.body['attempts'], 1),
      ];
    },
  },
  {
    id: 'cancels.of-another-partner',
    shows: "another partner's job: its registration, its cancel and its timeline are the 404 of an unknown job",
    needs: 'operator credentials',
    changes: true,
    lookAt: 'functions/core/find-job/verify-job.ts',
    async run(stage) {
      const { externalId, jobId } = await registered(stage, 'processing', 'foreign');
      const { credential: token } = await stage.partners.other();
      const { send } = stage;
      const answers = [
        await register(stage, { externalId, jobId }, token),
        await send({ method: 'POST', path: '/v1/cancellations', token, body: { externalId, jobId } }),
        await send({ path: `/v1/cancellations/${jobId}`, token }),
      ];
      return answers.flatMap((answer) => expectProblem(answer, 'job_not_found'));
    },
  },
];
