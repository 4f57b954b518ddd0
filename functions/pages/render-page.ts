import { escapeHtml } from './markup.ts';
import { assets, type NamedAsset } from './page-assets.ts';

export interface Page {
  readonly title: string;
  /** Which page of the bar it is, or belongs to. */
  readonly section?: 'docs' | 'problems';
  /** From the page to where the service is mounted. All links are relative: that may be a stage or a path of a domain. */
  readonly base: '.' | '..' | '../..';
  /** HTML: the element `main`, with the id `main`. */
  readonly main: string;
  /** Besides the design, which every page has. */
  readonly styles?: readonly NamedAsset[];
  readonly scripts?: readonly NamedAsset[];
}

const sections = [
  ['docs', 'Reference'],
  ['problems', 'Problems'],
  ['openapi.json', 'OpenAPI'],
] as const;

/** A whole page, with the bar that every page has. */
export function renderPage({ title, section, base, main, styles = [], scripts = [] }: Page): string {
  const links = sections.map(
    ([path, words]) => `<a href="${base}/${path}"${path === section ? ' aria-current="page"' : ''}>${words}</a>`,
  );
  const head = [
    ...[assets.design, ...styles].map(({ name }) => `<link rel="stylesheet" href="${base}/docs/${name}">`),
    ...[assets.copyCode, ...scripts].map(({ name }) => `<script type="module" src="${base}/docs/${name}"></script>`),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Plangrep job cancellation</title>
<link rel="icon" href="data:,">
${head.join('\n')}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="bar"><p class="name"><a href="${base}/">Plangrep job cancellation</a></p><nav aria-label="Pages">${links.join('')}</nav></header>
${main}
</body>
</html>
`;
}
