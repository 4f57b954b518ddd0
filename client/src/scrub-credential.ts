/** The last characters of a credential are its secret; a timeline shows the rest, which names it. */
const SECRET_LENGTH = 43;
/** Each escape of JSON, so that an escaped backslash does not make one of what follows it. */
const escapes = /\\(?:u00([2-7][\da-f])|.)/gi;

/**
 * JSON, or any text, without the credential's secret: something on the way may answer with the request that it got. Finds it
 * also where characters are escaped without need.
 */
export function scrub(json: string, credential: string): string {
  const unescaped = json.replace(escapes, (escape, hex?: string) => {
    const character = hex ? String.fromCharCode(Number.parseInt(hex, 16)) : escape.slice(1);
    // Only what a credential may have: `\n` and `\u0022` keep their meaning.
    return character === '/' || (hex && /[\w.~+=-]/.test(character)) ? character : escape;
  });
  return unescaped.replaceAll(credential.slice(-SECRET_LENGTH), '[credential]');
}
