import { describeInvalid } from './environment-schema.ts';
import type { FunctionName } from './functions.ts';

/**
 * Where the service is deployed: one object each. The account is whichever the deployer's credentials belong to, so
 * that synth needs none and each environment can live in an account of its own.
 */
export interface Environment {
  /** Part of every physical name that the project chooses itself, so environments can share an account. */
  readonly name: EnvironmentName;
  readonly region: string;
  /** What becomes of tables, secret, logs and function versions when they leave the stack, or the stack goes. */
  readonly removalPolicy: 'retain' | 'destroy';
  /**
   * How many days back a table can be restored to any second, 1 to 35.
   * @default - no point-in-time recovery
   */
  readonly pointInTimeRecoveryDays?: number;
  /** Whether the tables and the stateful stack refuse to be deleted until someone switches this off first. */
  readonly deletionProtection: boolean;
  /** Plangrep's origin, over https: no path. */
  readonly plangrepBaseUrl: string;
  /**
   * Whether a simulator stands in for Plangrep, so that partners can try everything without an account there: see
   * `functions/simulator/sandbox-jobs.ts`. In dev alone.
   * @default false
   */
  readonly sandbox?: boolean;
  /**
   * Whether the documentation's pages are served, to anybody: `/docs`, `/openapi.json`, `/problems`. In prod too: a
   * problem's `type` is the address of its page there, and what the pages say is in the public repository anyway.
   */
  readonly documentation: boolean;
  /** Who may send events: each partner is bound to its own source, and no event can name another partner. */
  readonly partners: readonly PartnerEvents[];
  /**
   * The bus that requests come in on and closed cancellations go out to, by name; it exists already.
   * @default - a bus of the environment's own, `plangrep-cancellation-<environment>`
   */
  readonly eventBusName?: string;
  /** What API Gateway lets through, all partners together: requests a second, and how many at once above that. */
  readonly throttle: { readonly ratePerSecond: number; readonly burst: number };
  /** One of the periods that CloudWatch Logs knows. */
  readonly logRetentionDays: number;
  /** E-mail addresses: `page` wakes somebody up, `ticket` waits for the morning. */
  readonly alarmAddresses: { readonly page: readonly string[]; readonly ticket: readonly string[] };
  readonly concurrency: {
    /** How many invocations may work on events at once, 2 to 1000. */
    readonly events: number;
    /**
     * Taken out of the account's pool for a function, and its ceiling: what keeps Plangrep from being overrun.
     * @default - the account's pool: a new account's is too small to reserve from
     */
    readonly reserved?: Readonly<Partial<Record<FunctionName, number>>>;
    /**
     * Kept warm, and paid for all the time.
     * @default - none
     */
    readonly provisioned?: Readonly<Partial<Record<FunctionName, number>>>;
  };
  /** `canary`: a tenth of the traffic for five minutes, then all, unless an alarm takes it back. */
  readonly rollout: 'canary' | 'all-at-once';
  /** Whether CloudTrail watches for anyone else's update or delete in the cancellation log. */
  readonly auditWatch: boolean;
  /**
   * Whether this stack sets the role by which API Gateway writes logs. It is one per account and region: where another
   * stack has set it already, say false.
   */
  readonly setsApiGatewayLogRole: boolean;
  /** The firewall in front of the API: how many requests one credential, and one address, may send in five minutes. */
  readonly firewall: { readonly perCredential: number; readonly perAddress: number };
  /**
   * A name of one's own, and client certificates. The API then answers under no other name.
   * @default - API Gateway's own name
   */
  readonly domain?: CustomDomain;
}

export interface PartnerEvents {
  readonly partnerId: string;
  /** @default - `partner.<partnerId>` */
  readonly eventSource?: string;
}

export interface CustomDomain {
  readonly name: string;
  /** Of a certificate in the environment's region. */
  readonly certificateArn: string;
  /**
   * The CA certificates, as a PEM bundle in S3, that partners' client certificates must come from. Versioned, so that a
   * deployment and a rollback each trust what they were tested with.
   * @default - no client certificate is asked for
   */
  readonly mutualTls?: { readonly bucketName: string; readonly key: string; readonly version: string };
  /**
   * Where to put the alias record.
   * @default - nowhere: somebody else's zone points here
   */
  readonly hostedZone?: { readonly id: string; readonly name: string };
}

export const environmentNames = ['dev', 'staging', 'prod'] as const;
export type EnvironmentName = (typeof environmentNames)[number];

export const environments: { readonly [Name in EnvironmentName]: Environment & { readonly name: Name } } = {
  /** Disposable: `cdk destroy` followed by `cdk deploy` must work, in a new account too. */
  dev: {
    name: 'dev',
    region: 'eu-central-1',
    removalPolicy: 'destroy',
    deletionProtection: false,
    plangrepBaseUrl: 'https://plangrep.com',
    sandbox: true,
    documentation: true,
    partners: [{ partnerId: 'acme' }],
    throttle: { ratePerSecond: 10, burst: 20 },
    logRetentionDays: 14,
    alarmAddresses: { page: [], ticket: ['plangrep-cancellation-dev@example.com'] },
    concurrency: { events: 2 },
    rollout: 'all-at-once',
    auditWatch: false,
    setsApiGatewayLogRole: true,
    // Here too: what a firewall refuses should be met first where it harms nobody.
    firewall: { perCredential: 300, perAddress: 1_000 },
  },
  staging: {
    name: 'staging',
    region: 'eu-central-1',
    removalPolicy: 'retain',
    pointInTimeRecoveryDays: 7,
    deletionProtection: true,
    plangrepBaseUrl: 'https://plangrep.com',
    documentation: true,
    partners: [{ partnerId: 'acme' }],
    throttle: { ratePerSecond: 50, burst: 100 },
    logRetentionDays: 30,
    alarmAddresses: {
      page: ['plangrep-cancellation-staging@example.com'],
      ticket: ['plangrep-cancellation-staging@example.com'],
    },
    concurrency: {
      events: 2,
      reserved: { 'request-cancellation': 10, 'consume-events': 2, 'reconcile-cancellations': 2 },
    },
    rollout: 'canary',
    auditWatch: true,
    setsApiGatewayLogRole: true,
    firewall: { perCredential: 3_000, perAddress: 10_000 },
  },
  prod: {
    name: 'prod',
    region: 'eu-central-1',
    removalPolicy: 'retain',
    pointInTimeRecoveryDays: 35,
    deletionProtection: true,
    plangrepBaseUrl: 'https://plangrep.com',
    documentation: true,
    partners: [{ partnerId: 'acme' }],
    throttle: { ratePerSecond: 200, burst: 400 },
    logRetentionDays: 400,
    alarmAddresses: {
      page: ['plangrep-cancellation-oncall@example.com'],
      ticket: ['plangrep-cancellation@example.com'],
    },
    concurrency: {
      events: 5,
      reserved: { 'request-cancellation': 50, 'consume-events': 5, 'reconcile-cancellations': 2 },
    },
    rollout: 'canary',
    auditWatch: true,
    setsApiGatewayLogRole: true,
    firewall: { perCredential: 3_000, perAddress: 10_000 },
  },
};

/**
 * The environment that `-c environment=<name>` chose.
 * @param name the context value as it came: absent, or anything at all
 * @returns the environment, or one line that says what to do instead
 * @example selectEnvironment('dev') // { kind: 'selected', environment: { name: 'dev', … } }
 */
export const selectEnvironment = (
  name: unknown,
):
  | { readonly kind: 'selected'; readonly environment: Environment }
  | { readonly kind: 'invalid'; readonly message: string } => {
  const known = environmentNames.find((candidate) => candidate === name);
  if (known === undefined) {
    const problem = name === undefined ? 'No environment chosen' : `Unknown environment ${JSON.stringify(name)}`;
    return {
      kind: 'invalid',
      message: `${problem}: pass one of ${environmentNames.join(', ')}, as -c environment=dev`,
    };
  }
  const environment = environments[known];
  const invalid = describeInvalid(environment);
  return invalid === undefined ? { kind: 'selected', environment } : { kind: 'invalid', message: invalid };
};
