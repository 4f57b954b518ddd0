import { problemGuide } from '../contract/problem-guide.ts';
import { type ProblemCode, problems } from '../contract/problems.ts';
import { renderJson, renderProse, renderStatus } from './markup.ts';
import { examplesOf, operations, partOf, partsOf } from './openapi-document.ts';
import { type Page, renderPage } from './render-page.ts';

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code);
}

/** The page that the `type` of a problem refers to (RFC 9457, section 3.1.1). */
export function renderProblem(code: ProblemCode): string {
  const { status, title, retryable } = problems[code];
  const { meaning, toDo } = problemGuide[code];
  const retry = retryable
    ? 'Yes: repeat the same request. No job is cancelled twice.'
    : 'No: the same request fails again with the same problem.';
  const example = findExample(code);
  return renderPage({
    title,
    section: 'problems',
    base: '..',
    main: `<main class="read" id="main">
<p class="lead">Problem</p>
<h1>${renderProse(title)}</h1>
<dl class="facts">
<dt>Code</dt><dd><code>${code}</code></dd>
<dt>Status</dt><dd>${renderStatus(String(status))}</dd>
<dt>Retry?</dt><dd>${retry}</dd>
</dl>
<h2>What it means</h2>
<p>${renderProse(meaning)}</p>
<h2>What to do</h2>
<p>${renderProse(toDo)}</p>
${example === undefined ? '' : `<h2>What it looks like</h2>\n${renderJson('Example', example)}`}
<p class="back"><a href="../problems">All problems</a></p>
</main>`,
  });
}

/** @returns the first example of the description with this code */
function findExample(code: ProblemCode): unknown {
  const responses = operations.flatMap(({ part }) => partsOf(part['responses']));
  const examples = responses.flatMap(([, response]) => examplesOf(response));
  return examples.find(({ value }) => partOf(value)['code'] === code)?.value;
}

/** Every problem on one page. */
export function renderProblemList(): string {
  const rows = Object.entries(problems).map(
    ([code, { status, title, retryable }]) =>
      `<tr><td>${renderStatus(String(status))}</td><th scope="row"><a href="./problems/${code}"><code>${code}</code></a><span class="said">${renderProse(title)}</span></th><td>${retryable ? 'yes' : 'no'}</td></tr>`,
  );
  return renderPage({
    title: 'Problems',
    section: 'problems',
    base: '.',
    main: `<main class="read" id="main">
<h1>Problems</h1>
<p class="lead">Every error is <code>application/problem+json</code> (RFC 9457): <code>code</code> is for your program, <code>detail</code> is for a person, <code>retryable</code> says whether the same request may succeed later, and <code>requestId</code> is what the operator needs to find the request. The <code>type</code> of a problem is the address of its page here.</p>
<table>
<thead><tr><th scope="col">Status</th><th scope="col">Problem</th><th scope="col">Retry?</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</main>`,
  });
}

/** What a reader gets whose address is not one of the documentation's. */
export function renderMissingPage(base: Page['base']): string {
  return renderPage({
    title: 'Page not found',
    base,
    main: `<main class="read" id="main">
<p class="lead">404</p>
<h1>This page does not exist</h1>
<p>The address may be misspelt, or from another version of the service.</p>
<ul>
<li><a href="${base}/">What this service is, and a first cancel</a></li>
<li><a href="${base}/docs">Reference: read and try every operation</a></li>
<li><a href="${base}/problems">Problems: what each means, and what to do</a></li>
</ul>
</main>`,
  });
}
