import { pageAssets } from './assets.ts';

/** Where the pages link to each other. All links are relative: the service may stand behind a stage or a domain's path. */
export type Section = 'docs' | 'problems';

export interface Page {
  readonly title: string;
  readonly section: Section;
  /** From the page to where the service is mounted: `.` or `..`. */
  readonly base: '.' | '..';
  /** HTML. */
  readonly main: string;
  /** Whether the bar has the page's first heading. @default false: `main` has */
  readonly isHeaded?: boolean;
  /** HTML, in the bar. */
  readonly hint?: string;
  /** HTML, at the end of the head. */
  readonly head?: string;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');

/** Text in which backticks mark code, as HTML. */
export const renderProse = (text: string): string => escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

const sections: readonly (readonly [Section | 'openapi.json', string])[] = [
  ['docs', 'Reference'],
  ['problems', 'Problems'],
  ['openapi.json', 'OpenAPI'],
];

/** A whole page with the bar that every page has. */
export const renderPage = ({ title, section, base, main, isHeaded = false, hint = '', head = '' }: Page): string => {
  const links = sections.map(
    ([path, words]) => `<a href="${base}/${path}"${path === section ? ' aria-current="page"' : ''}>${words}</a>`,
  );
  const name = isHeaded ? 'h1' : 'p';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Plangrep job cancellation</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}/docs/${pageAssets.pageStyle.name}">
${head}
</head>
<body>
<header class="bar"><${name} class="name">Plangrep job cancellation</${name}><nav aria-label="Documentation">${links.join('')}</nav>${hint}</header>
${main}
</body>
</html>
`;
};
