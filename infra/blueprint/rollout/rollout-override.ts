/** Somebody decided that one deployment goes past a canary and its alarms. */
export interface RolloutOverride {
  /** Who, and for which reason: kept as the service stack's output `RolloutOverride`. */
  readonly why: string;
}

/** One line without control characters, and short enough for a stack's output. */
const reason = /^[\p{L}\p{N}\p{P}\p{S} ]{10,300}$/u;

/**
 * @param rollout the value of `-c rollout=…`: absent, or anything
 * @param why the value of `-c why=…`
 * @example readRolloutOverride('all-at-once', 'TICKET-1: the old version fails') // { kind: 'override', override: { why: … } }
 */
export function readRolloutOverride(
  rollout: unknown,
  why: unknown,
):
  | { readonly kind: 'none' }
  | { readonly kind: 'override'; readonly override: RolloutOverride }
  | { readonly kind: 'invalid'; readonly message: string } {
  if (rollout === undefined || rollout === 'as-configured') return { kind: 'none' };
  if (rollout !== 'all-at-once') {
    return { kind: 'invalid', message: 'Unknown rollout: pass -c rollout=all-at-once, or leave it out.' };
  }
  if (typeof why === 'string' && reason.test(why)) return { kind: 'override', override: { why } };
  return {
    kind: 'invalid',
    message: '-c rollout=all-at-once needs -c why="WHO: REASON", a line of 10 to 300 characters: it is kept on record.',
  };
}
