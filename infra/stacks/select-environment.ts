import { checkEnvironment, type Environment } from '../blueprint/environment-schema.ts';
import { environmentNames, environments } from '../blueprint/environments.ts';

/**
 * @param name the value of `-c environment=<name>`: absent, or anything
 * @returns the environment, or one line that says what to do instead
 * @example selectEnvironment('dev') // { kind: 'selected', environment: { name: 'dev', … } }
 */
export function selectEnvironment(
  name: unknown,
):
  | { readonly kind: 'selected'; readonly environment: Environment }
  | { readonly kind: 'invalid'; readonly message: string } {
  const known = environmentNames.find((candidate) => candidate === name);
  if (known === undefined) {
    const problem = name === undefined ? 'No environment chosen' : `Unknown environment ${JSON.stringify(name)}`;
    return {
      kind: 'invalid',
      message: `${problem}: pass one of ${environmentNames.join(', ')}, as -c environment=dev`,
    };
  }
  const environment = environments[known];
  const checked = checkEnvironment(environment);
  return checked.kind === 'valid' ? { kind: 'selected', environment } : checked;
}
