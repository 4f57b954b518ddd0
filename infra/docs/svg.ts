/** Pieces of a drawing. */
export type Drawn = readonly string[];

/** Colours of the kinds of boxes, in light and in dark mode: fill and line. */
const colours: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  paper: ['#ffffff', '#0f1720'],
  ink: ['#1f2933', '#e4e7eb'],
  quiet: ['#616e7c', '#9aa5b1'],
  wire: ['#cbd2d9', '#3e4c59'],
  outside: ['#f5f7fa', '#1f2933'],
  door: ['#e6f6ff', '#10344d'],
  bus: ['#ffe3ec', '#4d1230'],
  queue: ['#fff3c4', '#4d3a05'],
  function: ['#ffe8d9', '#57260c'],
  table: ['#e3f9e5', '#0b3d17'],
  secret: ['#f2ebfe', '#3a1f66'],
};

const style = `
  text { font: 12.5px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: var(--ink); text-anchor: middle }
  .function text { font-weight: 600 }
  .caption, .note, .label, .dead text { font-size: 11px; fill: var(--quiet) }
  .note { text-anchor: start }
  rect { stroke: var(--quiet); stroke-width: 1 }
  .dead rect { fill: none; stroke-dasharray: 3 3 }
  path { stroke: var(--quiet); stroke-width: 1.4; fill: none }
  path.wire { stroke: var(--wire); stroke-width: 3 }
  path.failed { stroke-dasharray: 3 3 }
  .head { fill: var(--quiet); stroke: none }
  .mark { stroke: var(--ink); stroke-width: 2 }
  .reads { fill: var(--paper) }
  .writes, .calls { fill: var(--ink) }
${Object.keys(colours)
  .map((kind) => `  .${kind} rect { fill: var(--${kind}) }\n`)
  .join('')}`;

/** It brings its own background, so it can be read on any page, and follows the reader's light or dark mode. */
export function svg(width: number, height: number, title: string, body: Drawn): string {
  const variables = (mode: 0 | 1) =>
    Object.entries(colours)
      .map(([name, pair]) => `--${name}: ${pair[mode]}`)
      .join('; ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escape(title)}</title>
<style>
  svg { ${variables(0)} }
  @media (prefers-color-scheme: dark) { svg { ${variables(1)} } }
${style}</style>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" style="fill: var(--paper); stroke: var(--wire)"/>
${body.join('\n')}
</svg>
`;
}

export function box(
  kind: string,
  x: number,
  y: number,
  width: number,
  height: number,
  lines: readonly string[],
): string {
  const first = y + height / 2 + 4.5 - ((lines.length - 1) * 16) / 2;
  const texts = lines.map((words, index) => text('', x + width / 2, first + index * 16, words)).join('');
  return `<g class="${kind}"><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="5"/>${texts}</g>`;
}

export function text(kind: string, x: number, y: number, words: string): string {
  return `<text${kind === '' ? '' : ` class="${kind}"`} x="${x}" y="${y}">${escape(words)}</text>`;
}

export function line(kind: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<path class="${kind}" d="M${x1} ${y1}L${x2} ${y2}"/>`;
}

/** A horizontal arrow, to the right or to the left. */
export function arrow(from: number, y: number, to: number): string {
  const back = to > from ? -8 : 8;
  return `${line('', from, y, to + back, y)}<path class="head" d="M${to} ${y}l${back} -4.5v9z"/>`;
}

/** Words above and below an arrow. */
export function label(
  x1: number,
  x2: number,
  y: number,
  above: readonly string[],
  below: readonly string[],
): readonly string[] {
  const middle = (x1 + x2) / 2;
  return [
    ...above.map((words, index) => text('label', middle, y - 6 - (above.length - 1 - index) * 14, words)),
    ...below.map((words, index) => text('label', middle, y + 15 + index * 14, words)),
  ];
}

/** A ring reads, a disc writes, a diamond calls. */
export function mark(kind: 'reads' | 'writes' | 'calls', x: number, y: number): string {
  return kind === 'calls'
    ? `<path class="mark ${kind}" d="M${x - 7} ${y}l7 -7l7 7l-7 7z"/>`
    : `<circle class="mark ${kind}" cx="${x}" cy="${y}" r="5.5"/>`;
}

/** Lines of at most so many characters, broken between words. */
export function wrap(words: string, most: number): readonly string[] {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function escape(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** `JobDirectory` → `Job directory`. */
export function wordsOf(name: string): string {
  const words = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
