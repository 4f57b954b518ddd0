import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach } from 'vitest';
import * as z from 'zod/mini';
import { compileCache } from './run-command.ts';

const script = new URL('../../infra/cli/start.ts', import.meta.url).pathname;
const startedSchema = z.object({
  baseUrl: z.string(),
  consoleUrl: z.string(),
  credentialsPath: z.nullable(z.string()),
  partners: z.array(z.object({ partnerId: z.string(), token: z.string() })),
});
export type Started = z.infer<typeof startedSchema>;

export interface StartOptions {
  /** Where the credentials are written. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What runs the process, for example as another user. @default Node itself */
  readonly under?: readonly string[];
}

/** `npm start` in processes of a test file, each ended after its test. */
export function givenStartProcesses() {
  const running: ChildProcessWithoutNullStreams[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  const spawnStart = ({ cwd, env = {}, under = [] }: StartOptions): ChildProcessWithoutNullStreams => {
    const [command, ...args] = [...under, process.execPath, script, '--json'] as const;
    const child = spawn(command, args, { cwd, env: { PORT: '0', ...compileCache, ...env } });
    running.push(child);
    return child;
  };
  /** Resolves when the run is up. @throws what it printed when it ends instead */
  const start = async (options: StartOptions) => {
    const child = spawnStart(options);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = once(child, 'exit').then(() => {
      throw new Error(`npm start ended: ${stderr}`);
    });
    ended.catch(() => undefined);
    const [line]: unknown[] = await Promise.race([once(child.stdout, 'data'), ended]);
    return { child, ...startedSchema.parse(JSON.parse(String(line))), stderr: () => stderr };
  };
  /** Resolves when the process has ended by itself. */
  const startInVain = async (options: StartOptions) => {
    const child = spawnStart(options);
    const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    const code: unknown = exit[0];
    return { stdout, stderr, code };
  };
  const stop = async (child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals = 'SIGINT'): Promise<unknown> => {
    const exit = once(child, 'exit');
    child.kill(signal);
    const [code]: unknown[] = await exit;
    return code;
  };
  return { spawnStart, start, startInVain, stop };
}

/** Asks as acme. */
export function askAsAcme({ baseUrl, partners }: Pick<Started, 'baseUrl' | 'partners'>, externalId: string) {
  const token = partners.find(({ partnerId }) => partnerId === 'acme')?.token;
  return fetch(`${baseUrl}/v1/cancellations`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ externalId }),
  });
}
