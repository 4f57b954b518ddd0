/** An event pattern: for each field the values that match, or the pattern of what is in it. */
export interface EventPattern {
  readonly [field: string]: EventPattern | readonly (string | number | boolean | null)[];
}

/**
 * Whether an event, or a stream's record, matches a pattern. Fields that the pattern does not name may have any value.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
 * @throws for a value that is not a plain one, such as `{"prefix": …}`: it must not be played as if it matched
 */
export function matchesPattern(pattern: EventPattern, event: unknown): boolean {
  return Object.entries(pattern).every(([field, wanted]) => {
    const value = fieldOf(event, field);
    if (!isValues(wanted)) return matchesPattern(wanted, value);
    const unknown = wanted.find((one) => typeof one === 'object' && one !== null);
    if (unknown !== undefined) throw new Error(`The local bus does not know the pattern ${JSON.stringify(unknown)}`);
    return [value].flat().some((one) => wanted.some((candidate) => candidate === one));
  });
}

/** The value at a path such as `$.detail.id`; undefined where there is none. */
export function valueAt(event: unknown, path: string): unknown {
  const [, ...names] = path.split('.');
  return names.reduce<unknown>(fieldOf, event);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}

function isValues(wanted: EventPattern[string] | undefined): wanted is readonly (string | number | boolean | null)[] {
  return Array.isArray(wanted);
}
