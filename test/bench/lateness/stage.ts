import { randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { createJobDirectory } from '../../../functions/adapters/dynamodb/job-directory.ts';
import { toTimestamp } from '../../../functions/core/identifiers.ts';
import type { SimulatedJobFields } from '../../../functions/simulator/plangrep-jobs.ts';
import { listenOnLoopback } from '../../../infra/local/aws/loopback.ts';
import { type PlangrepSimulator, startPlangrepSimulator } from '../../../infra/local/plangrep/plangrep-simulator.ts';
import { type LocalRun, type LocalRunOptions, startLocalRun } from '../../../infra/local/run.ts';
import { plangrepSecretId } from '../../../infra/local/seeds.ts';
import { acme, documentedProject, externalId, jobId } from '../../support/names.ts';

/** A local run, with a simulator of Plangrep behind an address that can refuse connections. */
export interface Stage {
  readonly run: LocalRun;
  readonly simulator: PlangrepSimulator;
  /** Ends every connection to Plangrep and refuses new ones, until it is reopened. */
  refuseConnections(): Promise<void>;
  acceptConnections(): Promise<void>;
  /** Plangrep takes a new key alone from now on. Secrets Manager has it too; containers still hold the one before. */
  rotateKey(): void;
  /** A job of acme's, at Plangrep and registered. */
  addJob(name: string, fields?: SimulatedJobFields): Promise<void>;
  close(): Promise<void>;
}

export async function startStage(options: LocalRunOptions): Promise<Stage> {
  const apiKey = newKey();
  const simulator = await startPlangrepSimulator({ apiKey });
  const front = await startFront(Number(new URL(simulator.url).port));
  const upstream = { baseUrl: front.url, apiKey };
  const run = await startLocalRun({ ...options, upstream });
  const directory = createJobDirectory(run.dynamodb.client, run.dynamodb.tableNames.JobDirectory);
  return {
    run,
    simulator,
    refuseConnections: () => front.close(),
    acceptConnections: () => front.open(),
    rotateKey() {
      const key = newKey();
      simulator.setApiKey(key);
      run.secretsManager.put(plangrepSecretId, key);
    },
    async addJob(name, fields) {
      simulator.addJob({ id: name, externalId: name, projectId: documentedProject, ...fields });
      const registeredAt = toTimestamp(Date.now());
      const entry = { jobId: jobId(name), projectId: documentedProject, registeredAt, verifiedAt: registeredAt };
      await directory.claim(acme, externalId(name), entry);
    },
    async close() {
      await run.close();
      await front.close();
      await simulator.close();
    },
  };
}

const newKey = (): string => `pgk_bench_${randomBytes(16).toString('hex')}`;

/** Passes connections on to a port. */
async function startFront(target: number) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one);
      one.setNoDelay().pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    async open() {
      await listenOnLoopback(server, port);
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
