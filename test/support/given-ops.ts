import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import * as z from 'zod/mini';
import { givenService, type Service } from './given-service.ts';
import { type Ended, runCommand, type Surroundings } from './run-command.ts';

export const issuedSchema = z.object({ credential: z.string(), keyId: z.string() });

/** `npm run ops` beside a running service. */
export interface Ops {
  readonly service: Service;
  /** The folder of the local run. */
  readonly folder: string;
  /** A folder without a local run. */
  readonly elsewhere: string;
  /** Runs one command to its end: in the folder of the local run, unless `surroundings` says otherwise. */
  run(line: string | readonly string[], surroundings?: Surroundings): Promise<Ended>;
  /** A new key of acme's. */
  issueKey(options?: string): Promise<z.infer<typeof issuedSchema>>;
}

/** Starts the service before the tests of this file, with its credentials where ops looks for them. */
export function givenOps(serviceOptions: Parameters<typeof givenService>[0] = {}): Ops {
  const [folder, elsewhere] = [mkdtempSync(join(tmpdir(), 'ops-')), mkdtempSync(join(tmpdir(), 'ops-'))];
  const credentialsPath = join(folder, '.local', 'credentials.json');
  const service = givenService({ authorizerTtlMs: 0, queueVisibilityMs: 50, credentialsPath, ...serviceOptions });
  const ops: Ops = {
    service,
    folder,
    elsewhere,
    run: (line, surroundings = {}) =>
      runCommand('ops', typeof line === 'string' ? line.split(' ').filter(Boolean) : line, {
        cwd: folder,
        ...surroundings,
      }),
    async issueKey(options = '') {
      const { stdout, code } = await ops.run(`partner-key issue --partner acme --json ${options}`);
      expect(code).toBe(0);
      return issuedSchema.parse(JSON.parse(stdout));
    },
  };
  return ops;
}
