import { CancellationClient, InvalidCallbackError, verifyCallback } from '../../../client/src/index.ts';
import { answerCalls, type Call } from './read-calls.ts';

/** Our client's result by the suite's word. */
const words: Readonly<Record<string, string>> = {
  cancelled: 'cancelled',
  pending: 'accepted',
  ambiguous: 'ambiguous',
  notFound: 'not_found',
  tooLate: 'too_late',
  unavailable: 'unavailable',
};

await answerCalls(async (call) => {
  if (call.call === 'verify') return verify(call);
  const client = new CancellationClient({ baseUrl: call.baseUrl, credential: call.credential });
  const { externalId, jobId } = call;
  const result =
    call.call === 'cancel'
      ? await client.cancel({ externalId, jobId })
      : await client.waitUntilClosed({ jobId: jobId ?? '' });
  return { result: words[result.kind] ?? result.kind, ...('detail' in result && { detail: result.detail }) };
});

async function verify({ headers, body, secrets }: Call): Promise<{ result: string; detail?: string }> {
  try {
    await verifyCallback(headers, body, secrets);
    return { result: 'accepted' };
  } catch (error) {
    if (error instanceof InvalidCallbackError) return { result: 'refused', detail: error.code };
    throw error;
  }
}
