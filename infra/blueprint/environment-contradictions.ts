import { LONGEST_WAIT_SECONDS } from '../../functions/contract/requests.ts';
import { MAX_POLICY_BYTES, policyBytes } from './bus-policy.ts';
import { leastUnreserved, newAccountConcurrency, setApart } from './account/concurrency.ts';
import type { Environment } from './environment-schema.ts';
import { functionNames } from './functions.ts';
import { placeholdersIn } from './account/placeholders.ts';
import { contradictionsOfSenders } from './senders.ts';
import { firewallMargin, mostInWindow } from './usage-plans.ts';

/** The path of a wrong field, and the reason. */
type Contradiction = readonly [readonly PropertyKey[], string];

/** Plangrep shows a job so long after it was created (its documentation's example): an entry's days begin then. */
const LONGEST_SHOWN_DAYS = 30;

const planName = /^[a-z]{1,20}$/;

/** The rules between fields. */
export function* contradictionsOf(environment: Environment): Generator<Contradiction> {
  const { name, partners, sandbox } = environment;
  const { reserved = {}, provisioned = {} } = environment.concurrency;
  for (const reason of contradictionsOfSenders(name, partners)) yield [['partners'], reason];
  const bytes = policyBytes(partners);
  if (bytes > MAX_POLICY_BYTES) {
    yield [
      ['partners'],
      `must fit into a bus policy of ${MAX_POLICY_BYTES} bytes, not ${bytes}: use a second environment`,
    ];
  }
  for (const [field, consumer] of [
    ['events', 'consume-events'],
    ['wakeUps', 'consume-wake-ups'],
    ['callbacks', 'deliver-callbacks'],
  ] as const) {
    const most = environment.concurrency[field];
    if ((reserved[consumer] ?? most) >= most) continue;
    yield [['concurrency', field], `must not be over what is reserved for ${consumer}: the queue would be throttled`];
  }
  for (const functionName of functionNames) {
    const most = reserved[functionName] ?? Number.POSITIVE_INFINITY;
    if ((provisioned[functionName] ?? 0) <= most) continue;
    yield [['concurrency', 'provisioned', functionName], 'must not be over what is reserved'];
  }
  const account = environment.concurrency.account ?? newAccountConcurrency;
  const kept = setApart({}, provisioned);
  // Not left out as `reserved` is: it is paid for, so it was meant.
  if (kept > 0 && kept + leastUnreserved > account) {
    yield [
      ['concurrency', 'provisioned'],
      `must fit into concurrency.account (${account}), which keeps ${leastUnreserved} unreserved`,
    ];
  }
  yield* contradictionsOfPlans(environment);
  const { events, requests, jobs } = environment.retention;
  if (requests > events) yield [['retention', 'requests'], 'must not be over retention.events: they stand beside them'];
  if (jobs + LONGEST_SHOWN_DAYS > events) {
    const why = `must be ${LONGEST_SHOWN_DAYS} days under retention.events, which begin that much sooner`;
    yield [['retention', 'jobs'], why];
  }
  const restored = Object.values(environment.restoredTables ?? {}).map((table) => table.name);
  if (new Set(restored).size < restored.length) yield [['restoredTables'], 'must not name a table twice'];
  yield* contradictionsOfDomain(environment);
  if (environment.account !== undefined) {
    for (const { field, problem } of placeholdersIn(environment)) yield [[field], problem];
  }
  // Nor in staging: a release meets the real Plangrep there for the first time.
  if (sandbox === true && name !== 'dev') yield [['sandbox'], 'must not be set outside dev'];
  if (name !== 'prod') return;
  if (environment.removalPolicy !== 'retain') yield [['removalPolicy'], 'must be retain in prod'];
  if (!environment.deletionProtection) yield [['deletionProtection'], 'must be true in prod'];
  if (environment.pointInTimeRecoveryDays === undefined) yield [['pointInTimeRecoveryDays'], 'must be set in prod'];
  for (const severity of ['page', 'ticket'] as const) {
    if (environment.alarmAddresses[severity].length > 0) continue;
    yield [['alarmAddresses', severity], 'must name someone in prod'];
  }
}

/** A plan fits into everything around it, so that no partner uses up what is there for all. */
function* contradictionsOfPlans(environment: Environment): Generator<Contradiction> {
  const { plans, throttle, firewall, concurrency } = environment;
  const reserved = concurrency.reserved?.['request-cancellation'] ?? Number.POSITIVE_INFINITY;
  for (const [name, limits] of Object.entries(plans)) {
    const field = ['plans', name];
    if (!planName.test(name)) yield [field, 'must have a name of 1 to 20 of a-z'];
    if (limits.ratePerSecond > throttle.ratePerSecond) yield [field, 'must not be over the throttle of all partners'];
    if (limits.burst > throttle.burst) yield [field, "must not have a burst over that of all partners' throttle"];
    const atOnce = limits.burst + limits.ratePerSecond * LONGEST_WAIT_SECONDS;
    if (atOnce > reserved) {
      yield [field, `must not have more than what is reserved for request-cancellation, all of it waiting: ${atOnce}`];
    }
    if (Math.min(firewall.perCredential, firewall.perAddress) < firewallMargin * mostInWindow(limits)) {
      const least = `must be at least ${firewallMargin} times what the plan ${name} lets through in five minutes`;
      yield [['firewall'], `${least}: ${firewallMargin * mostInWindow(limits)}`];
    }
  }
}

/** API Gateway takes only a certificate of the same region and account. */
function* contradictionsOfDomain({ account, region, domain: given }: Environment): Generator<Contradiction> {
  const [, , , certificateRegion, certificateAccount] = given?.certificateArn.split(':') ?? [];
  const field = ['domain', 'certificateArn'];
  if (given !== undefined && certificateRegion !== region)
    yield [field, `must be in the environment's region, ${region}`];
  if (given !== undefined && account !== undefined && certificateAccount !== account) {
    yield [field, `must be in the environment's account, ${account}`];
  }
  const zone = given?.hostedZone?.name;
  if (given !== undefined && zone !== undefined && given.name !== zone && !given.name.endsWith(`.${zone}`)) {
    yield [['domain', 'hostedZone', 'name'], `must hold the name ${given.name}`];
  }
}
