import { problemGuide } from '../contract/problem-guide.ts';
import { type ProblemCode, problems } from '../contract/problems.ts';

/** The files that the pages refer to, under `docs/`. */
export type PageAssets = Readonly<
  Record<'pageStyle' | 'referenceStyle' | 'referenceScript' | 'explorer', { readonly name: string }>
>;

/** The interactive reference: the explorer shows the OpenAPI description and sends trial requests to this same origin. */
export function renderReference(assets: PageAssets): string {
  return renderPage(assets, {
    title: 'Reference',
    section: 'docs',
    base: '.',
    nameTag: 'h1',
    hint: '<p class="hint" role="status">To try it: paste your credential under Authentication, choose an operation, press Execute.</p>',
    head: `<link rel="stylesheet" href="./docs/${assets.referenceStyle.name}">
<script type="module" src="./docs/${assets.referenceScript.name}"></script>
<script type="module" src="./docs/${assets.explorer.name}"></script>`,
    main: `<openapi-explorer hide-server-selection="true" hide-components="true" default-schema-tab="body" display-nulls="true" fetch-credentials="omit">
<noscript>The reference needs JavaScript; the description itself is <a href="./openapi.json">openapi.json</a>.</noscript>
</openapi-explorer>`,
  });
}

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code);
}

/** The page that the `type` of a problem refers to (RFC 9457, section 3.1.1). */
export function renderProblem(assets: PageAssets, code: ProblemCode): string {
  const { status, title, retryable } = problems[code];
  const { meaning, toDo } = problemGuide[code];
  const retry = retryable
    ? 'Yes: repeat the same request. No job is cancelled twice.'
    : 'No: the same request fails again with the same problem.';
  return renderPage(assets, {
    title,
    section: 'problems',
    base: '..',
    main: `<main class="read">
<p class="lead">Problem</p>
<h1>${renderProse(title)}</h1>
<dl class="facts">
<dt>Code</dt><dd><code>${code}</code></dd>
<dt>Status</dt><dd>${status}</dd>
<dt>Retry?</dt><dd>${retry}</dd>
</dl>
<h2>What it means</h2>
<p>${renderProse(meaning)}</p>
<h2>What to do</h2>
<p>${renderProse(toDo)}</p>
<p class="back"><a href="../problems">All problems</a></p>
</main>`,
  });
}

/** Every problem on one page. */
export function renderProblemList(assets: PageAssets): string {
  const rows = Object.entries(problems).map(
    ([code, { status, title, retryable }]) =>
      `<tr><td>${status}</td><th scope="row"><a href="./problems/${code}"><code>${code}</code></a></th><td>${renderProse(title)}</td><td>${retryable ? 'yes' : 'no'}</td></tr>`,
  );
  return renderPage(assets, {
    title: 'Problems',
    section: 'problems',
    base: '.',
    main: `<main class="read">
<h1>Problems</h1>
<p class="lead">Every error is <code>application/problem+json</code> (RFC 9457): <code>code</code> is for your program, <code>detail</code> is for a person, <code>retryable</code> says whether the same request may succeed later, and <code>requestId</code> is what the operator needs to find the request. The <code>type</code> of a problem is the address of its page here.</p>
<table>
<thead><tr><th scope="col">Status</th><th scope="col">Code</th><th scope="col">In words</th><th scope="col">Retry?</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</main>`,
  });
}

interface Page {
  readonly title: string;
  readonly section: 'docs' | 'problems';
  /** From the page to where the service is mounted. All links are relative: that may be a stage or a path of a domain. */
  readonly base: '.' | '..';
  /** HTML. */
  readonly main: string;
  /** The element of the service's name in the bar. @default 'p': `main` has the first heading */
  readonly nameTag?: 'p' | 'h1';
  /** HTML, in the bar. */
  readonly hint?: string;
  /** HTML, at the end of the head. */
  readonly head?: string;
}

const sections = [
  ['docs', 'Reference'],
  ['problems', 'Problems'],
  ['openapi.json', 'OpenAPI'],
] as const;

/** A whole page, with the bar that every page has. */
function renderPage(
  { pageStyle }: PageAssets,
  { title, section, base, main, nameTag = 'p', hint = '', head = '' }: Page,
): string {
  const links = sections.map(
    ([path, words]) => `<a href="${base}/${path}"${path === section ? ' aria-current="page"' : ''}>${words}</a>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Plangrep job cancellation</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}/docs/${pageStyle.name}">
${head}
</head>
<body>
<header class="bar"><${nameTag} class="name">Plangrep job cancellation</${nameTag}><nav aria-label="Documentation">${links.join('')}</nav>${hint}</header>
${main}
</body>
</html>
`;
}

/** Text in which backticks mark code, as HTML. */
function renderProse(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
