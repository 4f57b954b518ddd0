/**
 * What Lambda lets a new account run at once: the quota grows with use, or on request.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const newAccountConcurrency = 10;
/**
 * Lambda keeps so much for the functions without a reservation: a stack that reserves more is rolled back.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 */
export const leastUnreserved = 100;
/** AWS's minimum of an event source mapping. */
const leastConsumers = 2;

/** By a function's name. */
type PerFunction = Readonly<Record<string, number>>;

/** As an environment has it. */
interface Concurrency {
  readonly account?: number;
  readonly events: number;
  readonly wakeUps: number;
  readonly callbacks: number;
  readonly reserved?: PerFunction;
  readonly provisioned?: PerFunction;
}

/** What is deployed of it. */
export interface DeployedConcurrency {
  readonly events: number;
  readonly wakeUps: number;
  readonly callbacks: number;
  readonly reserved: PerFunction;
  /** Whether that is less than the environment asks for, because the account does not hold it. */
  readonly isReduced: boolean;
}

/**
 * Reserves only where the account holds it. Where it does not, nothing is reserved, and each consumer gets at most a fifth
 * of what there is, so that a full queue leaves something for the requests.
 */
export function deployedConcurrency(asked: Concurrency): DeployedConcurrency {
  const { account = newAccountConcurrency, events, wakeUps, callbacks, reserved = {} } = asked;
  if (account >= neededConcurrency(asked)) return { events, wakeUps, callbacks, reserved, isReduced: false };
  const share = Math.max(leastConsumers, Math.floor(account / 5));
  const most = (consumers: number): number => Math.min(consumers, share);
  return { events: most(events), wakeUps: most(wakeUps), callbacks: most(callbacks), reserved: {}, isReduced: true };
}

/** What the account must hold for everything that the environment asks for: 0 when it sets nothing apart. */
export function neededConcurrency({ reserved = {}, provisioned = {} }: Concurrency): number {
  const apart = setApart(reserved, provisioned);
  return apart === 0 ? 0 : apart + leastUnreserved;
}

/** What a deployment takes out of the account's concurrency. Provisioned instances come out of a function's reservation. */
export function setApart(reserved: PerFunction, provisioned: PerFunction): number {
  const withoutReservation = Object.entries(provisioned).filter(([name]) => !(name in reserved));
  const counts = [...Object.values(reserved), ...withoutReservation.map(([, count]) => count)];
  return counts.reduce((total, count) => total + count, 0);
}
