import type * as z from 'zod/mini';
import { error, type SimulatedAnswer } from '../../../functions/simulator/plangrep-calls.ts';
import { simulatedJobFieldsSchema } from '../../../functions/simulator/plangrep-jobs.ts';
import { parseJson } from './create-job.ts';
import { faultSchema, type Faults } from './plangrep-faults.ts';
import type { JobStore } from './plangrep-job-store.ts';
import type { Journal } from './plangrep-journal.ts';
import { validate } from '../aws/validate.ts';

export interface Controlled {
  readonly faults: Faults;
  readonly requests: Journal;
  readonly store: JobStore;
}

/**
 * The imitation's own addresses, for people and for tests in another process; they need no key, since they listen on
 * loopback alone: `GET|POST|DELETE /simulator/faults`, `GET|DELETE /simulator/requests`, `GET|POST /simulator/jobs`.
 * @returns undefined if the request is for none of them
 */
export const control = (
  method: string,
  path: string,
  body: string,
  { faults, requests, store }: Controlled,
): SimulatedAnswer | undefined => {
  switch (`${method} ${path}`) {
    case 'GET /simulator/faults':
      return { status: 200, body: { faults: faults.waiting() } };
    case 'POST /simulator/faults':
      return validated(faultSchema, body, (fault) => {
        faults.add(fault);
        return { fault };
      });
    case 'DELETE /simulator/faults':
      faults.clear();
      return { status: 200, body: { faults: [] } };
    case 'GET /simulator/requests':
      return { status: 200, body: { requests: requests.all() } };
    case 'DELETE /simulator/requests':
      requests.clear();
      return { status: 200, body: { requests: [] } };
    case 'GET /simulator/jobs':
      return { status: 200, body: { jobs: store.all() } };
    case 'POST /simulator/jobs':
      return validated(simulatedJobFieldsSchema, body, (fields) => ({ job: store.put(fields) }));
    default:
      return path.startsWith('/simulator') ? error(404, 'not_found', 'The simulator has no such address.') : undefined;
  }
};

const validated = <Value>(
  schema: z.ZodMiniType<Value>,
  body: string,
  accept: (value: Value) => Readonly<Record<string, unknown>>,
): SimulatedAnswer => {
  const input = validate(schema, parseJson(body));
  return input.valid ? { status: 201, body: accept(input.value) } : error(400, 'invalid_request', input.message);
};
