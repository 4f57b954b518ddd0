import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type AccessKey, keyVariables } from '../../../infra/local/aws/access-keys.ts';
import { localRegion } from '../../../infra/local/aws/loopback.ts';
import { defaultBundles } from '../../../infra/local/run.ts';

/** When a function's process is killed: at its nth request, before that has an effect, or after it, before the answer. */
export interface Kill {
  readonly at: number;
  readonly when: 'before' | 'after';
}

export type Run =
  | { readonly kind: 'ended'; readonly answer: unknown; readonly requests: number }
  | { readonly kind: 'killed' }
  | { readonly kind: 'failed'; readonly printed: string };

const program = `
const [path, event] = process.argv.slice(1);
import(path).then(({ handler }) => handler(JSON.parse(event), { getRemainingTimeInMillis: () => 900000 }))
  .then((answer) => process.stdout.write('\\n' + JSON.stringify(answer)), (error) => { console.error(error); process.exitCode = 1; });`;

/** Runs a function's bundle in a new process, which reaches S3 and KMS only by way of this one. */
export async function givenFunctions(stores: { readonly s3: string; readonly kms: string }, accessKey: AccessKey) {
  let onRequest: (pass: () => Promise<void>) => Promise<void> = (pass) => pass();
  const frontOf = async (target: string): Promise<string> => {
    const server = createServer((incoming, response) => {
      const pass = async (): Promise<void> => {
        const { method, url, headers } = incoming;
        const outgoing = httpRequest(`${target}${url}`, { method, headers });
        outgoing.end(await buffer(incoming));
        const [answer] = await once(outgoing, 'response');
        const body = await buffer(answer);
        response.writeHead(answer.statusCode, answer.headers);
        response.end(body);
      };
      onRequest(pass).catch(() => response.destroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  };
  const [s3, kms] = await Promise.all([frontOf(stores.s3), frontOf(stores.kms)]);

  return async (
    name: 'archive-records' | 'seal-archive',
    event: object,
    kill?: Kill,
    marginSeconds = 1,
  ): Promise<Run> => {
    const child = spawn(
      process.execPath,
      ['-e', program, join(defaultBundles, name, 'index.mjs'), JSON.stringify(event)],
      {
        env: {
          ENVIRONMENT: 'local',
          ARCHIVE_BUCKET: 'archive',
          SEAL_KEY: 'alias/seal',
          SEAL_MARGIN_SECONDS: String(marginSeconds),
          AWS_REGION: localRegion,
          ...keyVariables(accessKey),
          AWS_ENDPOINT_URL_S3: s3,
          AWS_ENDPOINT_URL_KMS: kms,
        },
      },
    );
    let requests = 0;
    onRequest = async (pass) => {
      requests += 1;
      const isLast = requests === kill?.at;
      if (isLast && kill?.when === 'before') child.kill('SIGKILL');
      else await pass();
    };
    if (kill?.when === 'after') {
      const before = onRequest;
      onRequest = async (pass) => {
        if (requests + 1 !== kill.at) return before(pass);
        requests += 1;
        // The effect is there, and its answer reaches no one.
        child.kill('SIGKILL');
        await pass();
      };
    }
    const [printed, errors, [, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    if (signal !== null) return { kind: 'killed' };
    if (child.exitCode !== 0) return { kind: 'failed', printed: errors };
    return { kind: 'ended', answer: JSON.parse(printed.split('\n').at(-1) ?? ''), requests };
  };
}
