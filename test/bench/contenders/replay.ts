import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Head, Service } from '../../proof/crash/tap.ts';
import { createSelfSignedCertificate } from '../../support/self-signed-certificate.ts';

/** A request that a contender sent while it was recorded, and the answer that the local part gave. */
export interface Exchange {
  readonly service: Service;
  readonly head: Head;
  readonly body: Uint8Array;
  readonly answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly body: Uint8Array;
  };
}

/** A request as `node:https` takes it. */
export interface WireRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export type ToReplay =
  | {
      readonly kind: 'listen';
      readonly certificate: { readonly key: string; readonly cert: string };
      readonly isDistant: boolean;
    }
  | { readonly kind: 'distance'; readonly roundTripMs: RoundTrips }
  | { readonly kind: 'play'; readonly exchanges: readonly Exchange[] };
export type FromReplay =
  | { readonly kind: 'listening'; readonly urls: Readonly<Record<Service, string>> }
  | { readonly kind: 'ready' }
  /** A `POST` reached Plangrep, at this time of {@link monotonicMs}. */
  | { readonly kind: 'arrived'; readonly at: number }
  | { readonly kind: 'unknown'; readonly key: string };

/** Milliseconds. */
export type RoundTrips = Readonly<Record<Service, number>>;

/** DynamoDB, Secrets Manager and Plangrep as recorded, over TLS on 127.0.0.1, in another process. */
export interface Replay {
  readonly urls: Readonly<Record<Service, string>>;
  /** A file for `NODE_EXTRA_CA_CERTS`. */
  readonly authority: string;
  /** From now on these are the answers, from the first. */
  play(exchanges: readonly Exchange[]): Promise<void>;
  /** The requests for which no answer was recorded: empty when all is well. */
  readonly unknown: readonly string[];
  /** From now on bytes take so long there and back, and {@link nextArrival} works: if it was started as distant. */
  setDistance(roundTripMs: RoundTrips): Promise<void>;
  /** When the next `POST` reaches Plangrep, by {@link monotonicMs}. */
  nextArrival(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Starts `replay-process.ts`. Why not the local parts themselves: the embedded engine takes 6 to 9 ms of a cold start
 * (measured: a query and two puts), sometimes 50, and no bundle can change that. The bytes are the parts' own.
 */
export async function startReplay(isDistant = false): Promise<Replay> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const certificate = createSelfSignedCertificate();
  const authority = join(folder, 'authority.pem');
  await writeFile(authority, certificate.cert);

  const child = fork(new URL('./replay-process.ts', import.meta.url), { serialization: 'advanced', execArgv: [] });
  const unknown: string[] = [];
  let wake: ((message: FromReplay) => void) | undefined;
  let arrived: ((at: number) => void) | undefined;
  child.on('message', (message: FromReplay) => {
    if (message.kind === 'unknown') unknown.push(message.key);
    else if (message.kind === 'arrived') arrived?.(message.at);
    else wake?.(message);
  });
  const ask = async (message: ToReplay): Promise<FromReplay> => {
    const answered = new Promise<FromReplay>((resolve) => (wake = resolve));
    child.send(message);
    return answered;
  };

  const listening = await ask({ kind: 'listen', certificate, isDistant });
  if (listening.kind !== 'listening') throw new Error(`the replay answered ${listening.kind}`);
  return {
    urls: listening.urls,
    authority,
    unknown,
    play: async (exchanges) => void (await ask({ kind: 'play', exchanges })),
    setDistance: async (roundTripMs) => void (await ask({ kind: 'distance', roundTripMs })),
    nextArrival: () => new Promise((resolve) => (arrived = resolve)),
    close: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}
