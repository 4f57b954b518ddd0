import type { Environment } from './environment-schema.ts';

export const environmentNames = ['dev', 'staging', 'prod'] as const;
export type EnvironmentName = (typeof environmentNames)[number];

/**
 * Only data: what runs beside AWS's credentials reads it without a package. A new company edits this file first: see
 * docs/preflight.md. Outside dev an environment without an `account` can be synthesized, and not deployed.
 */
export const environments: Readonly<Record<EnvironmentName, Environment>> = {
  /** Disposable: `cdk destroy` followed by `cdk deploy` must work, in a new account too. */
  dev: {
    name: 'dev',
    region: 'eu-central-1',
    removalPolicy: 'destroy',
    deletionProtection: false,
    plangrepBaseUrl: 'https://plangrep.com',
    sandbox: true,
    documentation: true,
    // For trying out: every principal of the account may send as acme.
    partners: [{ partnerId: 'acme', principal: 'own-account' }],
    throttle: { ratePerSecond: 10, burst: 20 },
    plans: { standard: { ratePerSecond: 5, burst: 10, requestsPerDay: 10_000 } },
    // The least: nothing here is of value.
    retention: { events: 90, requests: 30, jobs: 30 },
    // A day is the shortest that S3 has: what a `cdk destroy` leaves behind can be emptied the day after.
    archive: { lock: 'governance', lockedDays: 1, keys: 1 },
    logRetentionDays: 14,
    alarmAddresses: { page: [], ticket: ['plangrep-cancellation-dev@example.com'] },
    concurrency: { events: 2, wakeUps: 2, callbacks: 2 },
    rollout: 'all-at-once',
    auditWatch: false,
    setsApiGatewayLogRole: true,
    // In dev too, so that a request that the firewall refuses is first seen where it does no harm.
    firewall: { perCredential: 4_000, perAddress: 6_000 },
  },
  staging: {
    name: 'staging',
    region: 'eu-central-1',
    removalPolicy: 'retain',
    pointInTimeRecoveryDays: 7,
    deletionProtection: true,
    plangrepBaseUrl: 'https://plangrep.com',
    documentation: true,
    partners: [{ partnerId: 'acme', principal: 'arn:aws:iam::111122223333:role/acme-events-staging' }],
    throttle: { ratePerSecond: 50, burst: 100 },
    plans: {
      standard: { ratePerSecond: 10, burst: 10, requestsPerDay: 100_000 },
      bulk: { ratePerSecond: 25, burst: 10, requestsPerDay: 500_000 },
    },
    // A quarter: a release is compared with the one before.
    retention: { events: 120, requests: 90, jobs: 90 },
    archive: { lock: 'governance', lockedDays: 30, keys: 1 },
    logRetentionDays: 30,
    alarmAddresses: {
      page: ['plangrep-cancellation-staging@example.com'],
      ticket: ['plangrep-cancellation-staging@example.com'],
    },
    concurrency: {
      events: 2,
      wakeUps: 4,
      callbacks: 4,
      reserved: {
        'request-cancellation': 260,
        'consume-events': 2,
        'consume-wake-ups': 4,
        'deliver-callbacks': 6,
        'reconcile-cancellations': 2,
      },
    },
    rollout: 'canary',
    auditWatch: true,
    setsApiGatewayLogRole: true,
    firewall: { perCredential: 20_000, perAddress: 30_000 },
  },
  prod: {
    name: 'prod',
    region: 'eu-central-1',
    removalPolicy: 'retain',
    pointInTimeRecoveryDays: 35,
    deletionProtection: true,
    plangrepBaseUrl: 'https://plangrep.com',
    documentation: true,
    partners: [{ partnerId: 'acme', principal: 'arn:aws:iam::111122223333:role/acme-events' }],
    throttle: { ratePerSecond: 200, burst: 400 },
    plans: {
      standard: { ratePerSecond: 20, burst: 20, requestsPerDay: 200_000 },
      bulk: { ratePerSecond: 50, burst: 50, requestsPerDay: 1_000_000 },
    },
    // A year, and time to look back at it. Requests and names for as long as an invoice is disputed: a quarter.
    retention: { events: 400, requests: 90, jobs: 90 },
    // Three years and their last day: after that, a claim from a cancellation is usually barred by limitation.
    archive: { lock: 'compliance', lockedDays: 1_096, keys: 1 },
    logRetentionDays: 400,
    alarmAddresses: {
      page: ['plangrep-cancellation-oncall@example.com'],
      ticket: ['plangrep-cancellation@example.com'],
    },
    concurrency: {
      events: 5,
      wakeUps: 10,
      callbacks: 10,
      reserved: {
        'request-cancellation': 550,
        'consume-events': 5,
        'consume-wake-ups': 10,
        'deliver-callbacks': 12,
        'reconcile-cancellations': 2,
      },
    },
    rollout: 'canary',
    auditWatch: true,
    setsApiGatewayLogRole: true,
    firewall: { perCredential: 40_000, perAddress: 60_000 },
  },
};
