import type { APIGatewayProxyStructuredResultV2, LambdaFunctionURLEvent } from 'aws-lambda';
import type { Clock } from '../core/ports.ts';
import { type JobRecords, perform, recognizeCall, unauthorized } from './plangrep-calls.ts';

export interface SimulatedCallPorts {
  readonly records: JobRecords;
  readonly isAuthorized: (authorization: string | undefined) => Promise<boolean>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
}

/**
 * Plangrep's jobs API behind a function URL, for a sandbox: the jobs of `sandbox-jobs.ts`, and no way to tell it to
 * misbehave but by their ids, so that no partner's trial disturbs another's.
 */
export const handleSimulatedCall =
  ({ records, isAuthorized, clock }: SimulatedCallPorts) =>
  async (event: LambdaFunctionURLEvent): Promise<APIGatewayProxyStructuredResultV2> => {
    const call = recognizeCall(event.requestContext.http.method, event.rawPath);
    const answer = (await isAuthorized(event.headers['authorization']))
      ? await perform(call, records, clock.now())
      : unauthorized;
    if (answer.delayMs !== undefined) await clock.sleep(answer.delayMs);
    return {
      statusCode: answer.status,
      headers: { 'Content-Type': 'application/json', ...answer.headers },
      body: JSON.stringify(answer.body),
    };
  };
