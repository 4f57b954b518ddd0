import { gzipSync } from 'node:zlib';
import { type Check, type Fault, same } from '../check.ts';
import { expectProblem } from '../expect-answer.ts';
import type { Answer } from '../send-request.ts';
import type { OperatorStage } from '../stage.ts';

const MAX_BYTES = 8 * 1024;
const lookAt = 'functions/doors/http/read-input.ts';
const unknownJob = { externalId: 'accept: no job has this name' };

type Headers = Readonly<Record<string, string>>;

async function post({ send, partners }: OperatorStage, body: unknown, headers: Headers = {}): Promise<Answer> {
  const { credential: token } = await partners.main();
  return send({ method: 'POST', path: '/v1/cancellations', token, body, headers });
}

/** JSON with so many bytes. */
function padded(bytes: number): Buffer {
  const text = JSON.stringify(unknownJob);
  return Buffer.from(text + ' '.repeat(bytes - Buffer.byteLength(text)));
}

function expectErrorAt(answer: Answer, path: string): readonly Fault[] {
  const errors: unknown = answer.body['errors'];
  const paths = Array.isArray(errors) ? errors.map((error: unknown) => pathOf(error)) : errors;
  return [...expectProblem(answer, 'invalid_request'), ...same('paths of the errors', paths, [path])];
}

function pathOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'path' in error ? error.path : undefined;
}

/** Bodies, on their way through API Gateway. None of them reaches a job. */
export const bodyChecks: readonly Check[] = [
  {
    id: 'bodies.size',
    shows: 'a body of 8 KiB is read; one byte more: 413',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    run: async (stage) => [
      ...expectProblem(await post(stage, padded(MAX_BYTES)), 'job_not_found'),
      ...expectProblem(await post(stage, padded(MAX_BYTES + 1)), 'body_too_large'),
    ],
  },
  {
    id: 'bodies.type',
    shows: 'another Content-Type than JSON: 415; JSON with a charset is read',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    run: async (stage) => [
      ...expectProblem(await post(stage, unknownJob, { 'Content-Type': 'text/plain' }), 'unsupported_media_type'),
      ...expectProblem(
        await post(stage, unknownJob, { 'Content-Type': 'Application/JSON; charset=UTF-8' }),
        'job_not_found',
      ),
    ],
  },
  {
    id: 'bodies.not-utf8',
    shows: 'bytes that are not UTF-8 are refused, not repaired: 400',
    needs: 'operator credentials',
    changes: true,
    lookAt: `${lookAt}, functions/core/identifiers.ts`,
    run: async (stage) =>
      expectErrorAt(await post(stage, Buffer.from('{"externalId":"commande-é"}', 'latin1')), 'externalId'),
  },
  {
    id: 'bodies.unicode',
    shows: 'text of every plane reaches the function as it was sent, in the body and in the query',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    async run(stage) {
      const { credential: token } = await stage.partners.main();
      const externalId = `"\\'<a>&;+%20 é ж 漢 😀`;
      const path = `/v1/cancellations?externalId=${encodeURIComponent(externalId)}`;
      return [
        ...expectProblem(await post(stage, { externalId }), 'job_not_found'),
        ...expectProblem(await stage.send({ path, token }), 'job_not_found'),
      ];
    },
  },
  {
    id: 'bodies.unknown-field',
    shows: 'a field that is not known, or given twice: 400 with its name',
    needs: 'operator credentials',
    changes: true,
    lookAt,
    run: async (stage) => [
      ...expectErrorAt(await post(stage, { ...unknownJob, partnerId: 'acme' }), 'partnerId'),
      ...expectErrorAt(await post(stage, Buffer.from('{"externalId":"a","externalId":"b"}')), 'externalId'),
    ],
  },
  {
    id: 'bodies.compressed',
    shows: 'a body in gzip is read; in another coding: 415, by API Gateway',
    needs: 'operator credentials',
    changes: true,
    lookAt: 'infra/constructs/api/partner-api.ts (minCompressionSize)',
    run: async (stage) => [
      ...expectProblem(
        await post(stage, gzipSync(JSON.stringify(unknownJob)), { 'Content-Encoding': 'gzip' }),
        'job_not_found',
      ),
      ...expectProblem(await post(stage, unknownJob, { 'Content-Encoding': 'br' }), 'unsupported_media_type'),
    ],
  },
];
