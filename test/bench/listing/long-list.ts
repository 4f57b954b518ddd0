import { exampleJob } from '../../../functions/simulator/plangrep-jobs.ts';

const CHUNK_BYTES = 64 * 1024;
/** With these a job has about 1 KB. */
const files = Array.from({ length: 7 }, (_, n) => ({
  id: `file_xyz78${n}`,
  fileName: `architectural_drawings_${n}.pdf`,
  status: 'processing',
}));

/** A list of jobs of the documented form, newest first, in chunks of a socket's size. */
export function* longList(jobs: number): Generator<Buffer> {
  let text = '{"jobs":[';
  for (let n = jobs; n > 0; n -= 1) {
    const job = { ...exampleJob, id: jobIdOf(n), externalId: nameOf(n), files };
    text += `${JSON.stringify(job)}${n > 1 ? ',' : ']}'}`;
    if (text.length < CHUNK_BYTES && n > 1) continue;
    yield Buffer.from(text);
    text = '';
  }
}

function jobIdOf(n: number): string {
  return `job_01hy3m8qtn2e5r7k9p${String(n).padStart(8, '0')}`;
}

/** The externalId of the nth job, counted from the oldest. */
export function nameOf(n: number): string {
  return `order-${n}`;
}
