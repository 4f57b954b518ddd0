import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { parsePlangrepOrigin } from '../../functions/adapters/plangrep/plangrep-origin.ts';
import { partnerIdSchema } from '../../functions/core/identifiers.ts';
import { eventSourceOf } from './event-door.ts';
import { functionNames } from './roles.ts';

const isSecureOrigin = (value: string): boolean => {
  try {
    return parsePlangrepOrigin(value).secure;
  } catch {
    return false;
  }
};

const whole = (least: number, most: number) => z.int('must be a whole number').min(least).max(most);
const perFunction = z.partialRecord(z.enum(functionNames), whole(1, 1_000));
const addresses = z.array(z.email());

const partner = z.strictObject({
  partnerId: partnerIdSchema,
  // EventBridge keeps `aws.` for itself, and a source is part of the rule's pattern as it stands.
  eventSource: z.optional(
    z.string().regex(/^(?!aws\.)[A-Za-z0-9._/-]{1,256}$/, 'must be an event source, not an AWS one'),
  ),
});

const domain = z.strictObject({
  name: z.hostname(),
  certificateArn: z
    .string()
    .regex(/^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/, 'must be the ARN of a certificate'),
  mutualTls: z.optional(
    z.strictObject({ bucketName: z.string().min(3), key: z.string().min(1), version: z.string().min(1) }),
  ),
  hostedZone: z.optional(z.strictObject({ id: z.string().min(1), name: z.hostname() })),
});

const environmentSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z]{1,16}$/, 'must be 1 to 16 of a-z: it is part of every credential'),
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region, such as eu-central-1'),
    removalPolicy: z.enum(['retain', 'destroy']),
    pointInTimeRecoveryDays: z.optional(whole(1, 35)),
    deletionProtection: z.boolean(),
    plangrepBaseUrl: z.string().refine(isSecureOrigin, 'must be an https origin alone, such as https://plangrep.com'),
    sandbox: z.optional(z.boolean()),
    documentation: z.boolean(),
    partners: z.array(partner),
    eventBusName: z.optional(z.string().regex(/^[A-Za-z0-9._/-]{1,256}$/, 'must be the name of an event bus')),
    throttle: z.strictObject({ ratePerSecond: whole(1, 10_000), burst: whole(1, 5_000) }),
    logRetentionDays: z
      .number()
      .refine((days) => days in RetentionDays && days < 9_999, 'must be a period that CloudWatch Logs knows'),
    alarmAddresses: z.strictObject({ page: addresses, ticket: addresses }),
    concurrency: z.strictObject({
      events: whole(2, 1_000),
      reserved: z.optional(perFunction),
      provisioned: z.optional(perFunction),
    }),
    rollout: z.enum(['canary', 'all-at-once']),
    auditWatch: z.boolean(),
    setsApiGatewayLogRole: z.boolean(),
    // The least that a rate-based rule takes is 10.
    firewall: z.strictObject({ perCredential: whole(10, 2_000_000), perAddress: whole(10, 2_000_000) }),
    domain: z.optional(domain),
  })
  .superRefine(
    (
      {
        name,
        removalPolicy,
        deletionProtection,
        pointInTimeRecoveryDays,
        sandbox,
        partners,
        concurrency,
        alarmAddresses,
      },
      context,
    ) => {
      const refuse = (path: readonly PropertyKey[], message: string) =>
        context.addIssue({ code: 'custom', path: [...path], message });
      const sources = partners.map(({ partnerId, eventSource }) => eventSource ?? eventSourceOf(partnerId));
      if (new Set(sources).size < sources.length)
        refuse(['partners'], 'must not bind two partners to one event source');
      const { events, reserved = {}, provisioned = {} } = concurrency;
      if ((reserved['consume-events'] ?? events) < events) {
        refuse(
          ['concurrency', 'events'],
          'must not be over what is reserved for consume-events: the queue would be throttled',
        );
      }
      for (const functionName of functionNames) {
        const most = reserved[functionName] ?? Number.POSITIVE_INFINITY;
        if ((provisioned[functionName] ?? 0) > most) {
          refuse(['concurrency', 'provisioned', functionName], 'must not be over what is reserved');
        }
      }
      // In staging neither: there what prod will run meets the real Plangrep first.
      if (sandbox === true && name !== 'dev') refuse(['sandbox'], 'must not be set outside dev');
      if (name !== 'prod') return;
      if (removalPolicy !== 'retain') refuse(['removalPolicy'], 'must be retain in prod');
      if (!deletionProtection) refuse(['deletionProtection'], 'must be true in prod');
      if (pointInTimeRecoveryDays === undefined) refuse(['pointInTimeRecoveryDays'], 'must be set in prod');
      if (alarmAddresses.page.length === 0) refuse(['alarmAddresses', 'page'], 'must name somebody in prod');
    },
  );

/**
 * What is wrong with an environment.
 * @returns one line that names the environment, each field and the reason; nothing when all is well
 */
export const describeInvalid = (environment: { readonly name: string }): string | undefined => {
  const { error } = environmentSchema.safeParse(environment);
  if (error === undefined) return undefined;
  const problems = error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  return `infra/blueprint/environments.ts, ${environment.name}: ${problems.join('; ')}`;
};
