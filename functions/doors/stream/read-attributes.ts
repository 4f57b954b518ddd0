/** An item as DynamoDB writes it in JSON: each value under its type. */
export type Attributes = Readonly<Record<string, unknown>>;

/**
 * Reads an item without losing anything: two items that differ are read as two that differ. What this service never writes
 * (sets, binaries, numbers that JavaScript does not hold exactly) stays recognizable, so that a verifier finds it.
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
      return readNumber(String(value));
    case 'L':
      return Array.isArray(value) ? value.map(readValue) : attribute;
    case 'M':
      return readAttributes(Object(value));
    default:
      return attribute;
  }
}

/** DynamoDB keeps 38 digits, the service writes only numbers that JavaScript holds exactly. Any other number stays text. */
function readNumber(text: string): number | string {
  const value = Number(text);
  return digitsOf(String(value)) === digitsOf(text) ? value : text;
}

function digitsOf(number: string): string {
  return number
    .replace(/e.*$/i, '')
    .replaceAll(/[-+.]/g, '')
    .replaceAll(/^0+|0+$/g, '');
}
