import { gzipSync } from 'node:zlib';
import { type Check, type Fault, same } from '../check.ts';
import { expectProblem } from '../expect-answer.ts';
import { type Answer, isObject } from '../send-request.ts';
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
  const paths = Array.isArray(errors) ? errors.filter(isObject).map((error) => error['path']) : errors;
  return [...expectProblem(answer, 'invalid_request'), ...same('paths of the errors', paths, [path])];
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
      const externalId = `"\\'<a>&;+%20 é ж 漢 😀 ${stage.partners.run}`;
      const refused = await post(stage, { externalId });
      // It is on record under the text of the body, and found by the text of the query.
      const path = `/v1/cancellations?externalId=${encodeURIComponent(externalId)}`;
      const { status, body } = await stage.send({ path, token });
      const refusals: unknown = body['refusals'];
      const [first]: unknown[] = Array.isArray(refusals) ? refusals : [];
      return [
        ...expectProblem(refused, 'job_not_found'),
        ...same('status of the list', status, 200),
        ...same('requestId of its refusal', isObject(first) ? first['requestId'] : undefined, refused.requestId),
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
