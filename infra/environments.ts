/**
 * Where the service is deployed: one object each. The account is whichever the deployer's credentials belong to, so
 * that synth needs none and each environment can live in an account of its own.
 */
export interface Environment {
  /** Part of every physical name that the project chooses itself, so environments can share an account. */
  readonly name: EnvironmentName;
  readonly region: string;
  /** What becomes of the tables and the secret when they leave the stack, or the stack goes. */
  readonly removalPolicy: 'retain' | 'destroy';
  /**
   * How many days back a table can be restored to any second, 1 to 35.
   * @default - no point-in-time recovery
   */
  readonly pointInTimeRecoveryDays?: number;
  /** Whether the tables and the stateful stack refuse to be deleted until someone switches this off first. */
  readonly deletionProtection: boolean;
}

export const environmentNames = ['dev', 'staging', 'prod'] as const;
export type EnvironmentName = (typeof environmentNames)[number];

export const environments: { readonly [Name in EnvironmentName]: Environment & { readonly name: Name } } = {
  /** Disposable: `cdk destroy` followed by `cdk deploy` must work. */
  dev: { name: 'dev', region: 'eu-central-1', removalPolicy: 'destroy', deletionProtection: false },
  staging: {
    name: 'staging',
    region: 'eu-central-1',
    removalPolicy: 'retain',
    pointInTimeRecoveryDays: 7,
    deletionProtection: true,
  },
  prod: {
    name: 'prod',
    region: 'eu-central-1',
    removalPolicy: 'retain',
    pointInTimeRecoveryDays: 35,
    deletionProtection: true,
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
  if (known !== undefined) return { kind: 'selected', environment: environments[known] };
  const problem = name === undefined ? 'No environment chosen' : `Unknown environment ${JSON.stringify(name)}`;
  return { kind: 'invalid', message: `${problem}: pass one of ${environmentNames.join(', ')}, as -c environment=dev` };
};
