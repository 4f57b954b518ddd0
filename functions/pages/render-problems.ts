import { problemGuide } from '../contract/problem-guide.ts';
import { type ProblemCode, problems } from '../contract/problems.ts';
import { renderPage, renderProse } from './render-page.ts';

export const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problems, code);
const codes = Object.keys(problems).filter(isProblemCode);

const retryWords = (retryable: boolean): string =>
  retryable
    ? 'Yes: repeat the same request. No job is cancelled twice.'
    : 'No: the same request fails again with the same problem.';

/** Where the `type` of a problem leads to (RFC 9457, section 3.1.1). */
export const renderProblem = (code: ProblemCode): string => {
  const { status, title, retryable } = problems[code];
  const { meaning, toDo } = problemGuide[code];
  return renderPage({
    title,
    section: 'problems',
    base: '..',
    main: `<main class="read">
<p class="lead">Problem</p>
<h1>${renderProse(title)}</h1>
<dl class="facts">
<dt>Code</dt><dd><code>${code}</code></dd>
<dt>Status</dt><dd>${status}</dd>
<dt>Retry?</dt><dd>${retryWords(retryable)}</dd>
</dl>
<h2>What it means</h2>
<p>${renderProse(meaning)}</p>
<h2>What to do</h2>
<p>${renderProse(toDo)}</p>
<p class="back"><a href="../problems">All problems</a></p>
</main>`,
  });
};

/** Every problem on one page. */
export const renderProblemList = (): string => {
  const rows = codes.map((code) => {
    const { status, title, retryable } = problems[code];
    return `<tr><td>${status}</td><th scope="row"><a href="./problems/${code}"><code>${code}</code></a></th><td>${renderProse(title)}</td><td>${retryable ? 'yes' : 'no'}</td></tr>`;
  });
  return renderPage({
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
};
