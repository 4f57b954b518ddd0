import * as z from 'zod';
import { parsePlangrepOrigin } from '../../functions/adapters/plangrep/plangrep-origin.ts';
import { LEAST_DAYS, MOST_DAYS } from '../../functions/core/retention.ts';
import { contradictionsOf } from './environment-contradictions.ts';
import { functionNames } from './functions.ts';
import { isExampleAccount } from './account/placeholders.ts';
import { senderSchema } from './senders.ts';
import { defaultPlan } from './usage-plans.ts';

/** The retention periods that CloudWatch Logs accepts. A test compares them with the CDK's. */
export const logRetentionPeriods = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

const whole = (least: number, most: number) => z.int('must be a whole number').min(least).max(most);
const perFunction = z.partialRecord(z.enum(functionNames), whole(1, 1_000)).readonly();
const addresses = z.array(z.email()).readonly();

const plan = z.strictObject({
  ratePerSecond: whole(1, 10_000),
  burst: whole(1, 5_000),
  requestsPerDay: whole(1, 2_000_000_000),
});

const domain = z.strictObject({
  name: z.hostname(),
  /** The ARN of a certificate in the environment's region. */
  certificateArn: z
    .string()
    .regex(/^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/, 'must be the ARN of a certificate'),
  /**
   * The CA certificates, a PEM bundle in S3, that must have signed the partners' client certificates. With a version, so
   * that a deployment and a rollback each trust what they were tested with.
   * @default - the API asks for no client certificate
   */
  mutualTls: z
    .strictObject({ bucketName: z.string().min(3), key: z.string().min(1), version: z.string().min(1) })
    .exactOptional(),
  /**
   * Where to put the alias record.
   * @default - nowhere: a zone elsewhere points here
   */
  hostedZone: z.strictObject({ id: z.string().min(1), name: z.hostname() }).exactOptional(),
});

const restoredTable = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_.-]{3,255}$/, 'must be the name of a table'),
});

/** Where the service is deployed, and with what. Synth needs no credentials. */
const environmentSchema = z
  .strictObject({
    /** Part of every physical name that the project chooses itself, so environments can share an account. */
    name: z.string().regex(/^[a-z]{1,16}$/, 'must be 1 to 16 of a-z: it is part of every credential'),
    /**
     * The 12 digits of the account that the environment is deployed to, and to no other: each environment can have its own.
     * With it, outside dev, everything that stands for yours must have been replaced (`account/placeholders.ts`).
     * @default - the account of the deployer's credentials in dev; none elsewhere: CloudFormation refuses the stacks
     */
    account: z
      .string()
      .regex(/^\d{12}$/, 'must be the 12 digits of an account')
      .refine((account) => !isExampleAccount(account), "must not be an example account of AWS's documentation")
      .exactOptional(),
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region, such as eu-central-1'),
    /** What happens to tables, secret, logs and function versions when they leave the stack, or the stack is deleted. */
    removalPolicy: z.enum(['retain', 'destroy']),
    /**
     * How many days back a table can be restored to any second.
     * @default - no point-in-time recovery
     */
    pointInTimeRecoveryDays: whole(1, 35).exactOptional(),
    /**
     * Tables that were restored, and that the service uses in place of the stateful stack's, which stay as they are:
     * docs/runbook.md, "Restoring a table". `ops restore prepare` prints the lines.
     * @default - the stateful stack's tables
     */
    restoredTables: z
      .strictObject({
        Partners: restoredTable.exactOptional(),
        JobDirectory: restoredTable.exactOptional(),
        CancellationLog: restoredTable
          .extend({
            /** The end of the stream's ARN, which no template can look up. */
            streamLabel: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/, "must be the stream's label"),
          })
          .exactOptional(),
      })
      .exactOptional(),
    /** Whether AWS refuses to delete the tables and the stateful stack until this is switched off. */
    deletionProtection: z.boolean(),
    /** Plangrep's origin, without a path. */
    plangrepBaseUrl: z
      .string()
      .refine(isSecureOrigin, 'must be an https origin without a path, such as https://plangrep.com'),
    /**
     * Whether a simulator takes Plangrep's place, so that partners can try everything without an account there: see
     * `functions/simulator/sandbox-jobs.ts`. Only in dev.
     * @default false
     */
    sandbox: z.boolean().exactOptional(),
    /**
     * Whether `/docs`, `/openapi.json` and `/problems` are served, to everyone. In prod too: a problem's `type` is the
     * address of its page, and the pages hold nothing that is not in the public repository.
     */
    documentation: z.boolean(),
    /** Who may send events, each with its own source alone, so no event can name another partner. */
    partners: z.array(senderSchema).readonly(),
    /**
     * An existing bus, by name, that requests come in on and closed and refused cancellations go out to.
     * @default - the environment's own bus, `plangrep-cancellation-<environment>`
     */
    eventBusName: z
      .string()
      .regex(/^[A-Za-z0-9._/-]{1,256}$/, 'must be the name of an event bus')
      .exactOptional(),
    /**
     * What API Gateway accepts of each method, from all partners together: requests a second, and how many at once above that.
     * A flood of one method takes nothing from the others.
     * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
     */
    throttle: z.strictObject({ ratePerSecond: whole(1, 10_000), burst: whole(1, 5_000) }),
    /**
     * What a partner may send: `standard`, and others that `ops partner add` and `partner set` choose by name. A
     * partner with a different share gets a separate plan.
     */
    plans: z
      .strictObject({ [defaultPlan]: plan })
      .catchall(plan)
      .readonly(),
    /**
     * How many days the tables keep what is over; DynamoDB deletes it some days later at the latest. The archive has every
     * record of the log long before. docs/retention.md says what a partner and an operator see of it.
     */
    retention: z.strictObject({
      /**
       * A cancellation's events, from its first request on. Three times as long as Plangrep shows a job by its documented
       * example (30 days), so that no open cancellation expires.
       */
      events: whole(90, MOST_DAYS),
      /** `joined` and `refused` records: no longer than the events, which they stand beside. */
      requests: whole(LEAST_DAYS, MOST_DAYS),
      /**
       * The directory's entry of a job, after the job has ended; its owner stays 30 days longer. At least as long as a request key reaches its job (30 days);
       * 30 days shorter than the events, so that no request finds a job whose cancellation has expired.
       */
      jobs: whole(30, MOST_DAYS),
    }),
    /** The sealed archive of the cancellation log: an S3 bucket whose objects are locked (docs/audit-format.md). */
    archive: z.strictObject({
      /** How long no one can delete or replace an object. `compliance`: not even the account's root. */
      lock: z.enum(['compliance', 'governance']),
      lockedDays: whole(1, 36_500),
      /**
       * A bucket of another account, with Object Lock and the policy of docs/deploy.md, "An archive in another account".
       * @default - a bucket in the stateful stack
       */
      bucketName: z
        .string()
        .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
        .exactOptional(),
      /**
       * How many keys have been made for the digests. Only the newest signs: one more is a new key (docs/runbook.md, "Replacing
       * the archive's key"). The others stay, and so do the digests that they have signed.
       */
      keys: whole(1, 100),
    }),
    logRetentionDays: z.literal(logRetentionPeriods, 'must be a period that CloudWatch Logs knows'),
    /** E-mail addresses: `page` wakes someone up, `ticket` waits for the morning. */
    alarmAddresses: z.strictObject({ page: addresses, ticket: addresses }),
    concurrency: z.strictObject({
      /**
       * What the account holds in this region for this environment, so without what others reserve: "ops preflight" reads
       * it. `reserved` is deployed only where it fits in, see `account/concurrency.ts`.
       * @default - 10, what a new account may have: nothing is reserved
       */
      account: whole(1, 1_000_000).exactOptional(),
      /** How many invocations may work on events at once. */
      events: whole(2, 1_000),
      /** The same for wake-ups. Each may ask Plangrep about `wakeUpQueue.batchSize` jobs at once. */
      wakeUps: whole(2, 1_000),
      /** The same for callbacks. One partner holds 3 of them at most: with 3 or fewer, its slow endpoint delays the others. */
      callbacks: whole(2, 1_000),
      /**
       * Reserved for a function out of the account's concurrency, and its maximum: limits the load on Plangrep. Together
       * with the 100 that Lambda keeps unreserved they must be in `account`; while they are not, none is deployed.
       * @default - nothing is reserved
       */
      reserved: perFunction.exactOptional(),
      /**
       * Kept warm, and paid for all the time.
       * @default - none
       */
      provisioned: perFunction.exactOptional(),
    }),
    /** `canary`: a tenth of the traffic for five minutes, then all, unless an alarm rolls it back. */
    rollout: z.enum(['canary', 'all-at-once']),
    /** Whether CloudTrail watches for updates and deletes in the cancellation log by anyone but this service. */
    auditWatch: z.boolean(),
    /** Whether this stack sets the account's role by which API Gateway writes logs: false where another stack does. */
    setsApiGatewayLogRole: z.boolean(),
    /** The firewall: requests that one credential, and one address, may send in five minutes. AWS's minimum is 10. */
    firewall: z.strictObject({ perCredential: whole(10, 2_000_000), perAddress: whole(10, 2_000_000) }),
    /**
     * A domain name for the API, which then answers under no other name.
     * @default - API Gateway's own name
     */
    domain: domain.exactOptional(),
  })
  .superRefine((environment, context) => {
    for (const [path, message] of contradictionsOf(environment)) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  });

export type Environment = Readonly<z.input<typeof environmentSchema>>;
export type CustomDomain = z.input<typeof domain>;

function isSecureOrigin(value: string): boolean {
  try {
    return parsePlangrepOrigin(value).protocol === 'https:';
  } catch {
    return false;
  }
}

export type Checked =
  | { readonly kind: 'valid' }
  /** One line that names the environment, each wrong field and the reason. */
  | { readonly kind: 'invalid'; readonly message: string };

export function checkEnvironment(environment: { readonly name: string }): Checked {
  const { error } = environmentSchema.safeParse(environment);
  if (error === undefined) return { kind: 'valid' };
  const problems = error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  return {
    kind: 'invalid',
    message: `infra/blueprint/environments.ts, ${environment.name}: ${problems.join('; ')}`,
  };
}
