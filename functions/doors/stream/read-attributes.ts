/** An item as DynamoDB writes it in JSON: each value under its type. */
export type Attributes = Readonly<Record<string, unknown>>;

/**
 * Reads an item without losing anything: two items that differ are read as two that differ. What this service never writes
 * (sets, binaries, numbers that JavaScript does not hold exactly, a map that would be read as one of these) stays as
 * DynamoDB writes it, so that a verifier finds it.
 */
export function readAttributes(item: Attributes): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, readValue(value)]));
}

function readValue(attribute: unknown): unknown {
  const [[type, value] = ['', undefined]] = Object.entries(Object(attribute));
  switch (type) {
    case 'S':
    case 'BOOL':
      return value;
    case 'NULL':
      return null;
    case 'N':
      return readNumber(String(value)) ?? attribute;
    case 'L':
      return Array.isArray(value) ? value.map(readValue) : attribute;
    case 'M': {
      const read = readAttributes(Object(value));
      const [name = '', ...others] = Object.keys(read);
      return others.length === 0 && types.has(name) ? attribute : read;
    }
    default:
      return attribute;
  }
}

const types: ReadonlySet<string> = new Set(['B', 'BS', 'M', 'N', 'NS', 'SS', 'L']);

/** @returns undefined for one that JavaScript does not hold exactly: DynamoDB keeps 38 digits */
function readNumber(text: string): number | undefined {
  const value = Number(text);
  return digitsOf(String(value)) === digitsOf(text) ? value : undefined;
}

function digitsOf(number: string): string {
  return number
    .replace(/e.*$/i, '')
    .replaceAll(/[-+.]/g, '')
    .replaceAll(/^0+|0+$/g, '');
}
