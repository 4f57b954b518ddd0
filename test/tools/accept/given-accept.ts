import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { environments } from '../../../infra/blueprint/environments.ts';
import { type Bus, openLocalBus } from '../../../infra/cli/accept/bus.ts';
import { allChecks } from '../../../infra/cli/accept/checks/all-checks.ts';
import { createOwnPartners } from '../../../infra/cli/accept/own-partners.ts';
import { runChecks, type Verdict } from '../../../infra/cli/accept/run-checks.ts';
import { openLocalPlace } from '../../../infra/cli/places/local-place.ts';
import type { Place } from '../../../infra/cli/places/place.ts';
import type { AskAws } from '../../../infra/cli/preflight/ask-aws.ts';
import { givenService, type Service } from '../../support/given-service.ts';
import { type Mutation, startMutatingFront } from './mutating-front.ts';

export interface JudgeOptions {
  /** What the service does otherwise. @default nothing */
  readonly otherwise?: Mutation;
  /** AWS's answers: the local run then plays the part of the API of an environment. @default there is no AWS */
  readonly ask?: AskAws;
  /** @default dev */
  readonly environment?: (typeof environments)[keyof typeof environments];
  /** @default the local run's */
  readonly place?: Place;
  /** @default the local run's */
  readonly bus?: Bus;
  readonly firewall?: boolean;
  /** Instead of the check's. */
  readonly limitMs?: number | undefined;
}

/** The checks of `npm run accept`, one by one, beside a running service. */
export interface Accept {
  readonly service: Service;
  place(): Place;
  bus(): Bus;
  judge(id: string, options?: JudgeOptions): Promise<Verdict>;
}

/** Starts a service before the tests of a file, whose caches and queues hurry. */
export function givenAccept(): Accept {
  const path = join(mkdtempSync(join(tmpdir(), 'accept-')), 'credentials.json');
  const hurry = {
    authorizerTtlMs: 1_000,
    queueVisibilityMs: 1_000,
    wakeUps: 'delivered',
    callbacks: 'delivered',
  } as const;
  const service = givenService({ ...hurry, credentialsPath: path });
  let opened: Place | undefined;
  /** Each check gets the partners of another run: a job of the sandbox is used up by its first cancel. */
  let runs = 0;
  beforeAll(() => {
    opened = openLocalPlace(path);
  });
  afterAll(() => opened?.close());
  const place = (): Place => {
    if (opened === undefined) throw new Error('The place is open only during the tests');
    return opened;
  };
  const bus = (): Bus => openLocalBus(path);
  return {
    service,
    place,
    bus,
    async judge(id, { otherwise = {}, ask, environment = environments.dev, firewall = false, ...options } = {}) {
      const check = allChecks.find((one) => one.id === id);
      if (check === undefined) throw new Error(`there is no check ${id}`);
      const front = await startMutatingFront(service.run.baseUrl, otherwise);
      runs += 1;
      const partners = createOwnPartners(place(), Date.now() + 1_000 * runs);
      const aws = ask === undefined ? undefined : { environment, ask, firewall };
      const operator = { place: place(), bus: bus(), ...options, partners, ...(aws !== undefined && { aws }) };
      const { limitMs = check.limitMs ?? 60_000 } = options;
      const around = { url: new URL(`${front.url}/`), operator, signal: new AbortController().signal };
      try {
        const watcher = { began: () => undefined, ended: () => undefined };
        const [verdict] = await runChecks([{ ...check, limitMs }], around, watcher);
        if (verdict === undefined) throw new Error('no verdict');
        return verdict;
      } finally {
        await front.close();
      }
    },
  };
}
