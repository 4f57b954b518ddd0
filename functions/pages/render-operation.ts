import { isProblemCode } from './render-problems.ts';
import { problems } from '../contract/problems.ts';
import { escapeHtml, renderBlocks, renderCode, renderJson, renderProse, renderStatus } from './markup.ts';
import { examplesOf, type Operation, type Part, partOf, partsOf, textOf } from './openapi-document.ts';
import { codesOf, fieldsOf } from './read-schema.ts';
import { bodySchemaOf, inputsOf, renderFields, renderInput } from './render-fields.ts';

/** An operation: what it does, a form that calls it, its answers. */
export function renderOperation({ id, method, path, part }: Operation): string {
  return `<section class="operation" id="${id}" aria-labelledby="${id}-heading">
<div class="says">
<h2 id="${id}-heading">${escapeHtml(textOf(part['summary']))}</h2>
${renderLine(method, path)}
${renderBlocks(textOf(part['description']))}
</div>
${renderForm({ id, method, path, part })}
<div>
${renderAnswers(partOf(part['responses']))}
</div>
</section>`;
}

/** A request that the service sends to its caller. */
export function renderWebhook({ id, path: name, part }: Operation): string {
  const body = partOf(part['requestBody']);
  const [first] = examplesOf(body);
  const headers = inputsOf({ parameters: part['parameters'] }, {});
  const fields = headers.map(({ name: header, text }) => ({
    name: header,
    type: 'header',
    isRequired: true,
    text,
    fields: [],
  }));
  return `<section class="operation" id="${id}" aria-labelledby="${id}-heading">
<div class="says">
<h3 id="${id}-heading">${escapeHtml(textOf(part['summary']))}</h3>
<p><code>${escapeHtml(name)}</code></p>
${renderBlocks(textOf(part['description']))}
${renderDetails('Its headers', renderFields(fields))}
${renderDetails('Its fields', renderFields(fieldsOf(bodySchemaOf(part))))}
</div>
<div class="sample">${first === undefined ? '' : renderJson(`Example: ${first.summary}`, first.value)}</div>
</section>`;
}

const renderLine = (method: string, path: string): string =>
  `<p class="line"><span class="badge">${method}</span> <code>${escapeHtml(path)}</code></p>`;

function renderDetails(summary: string, content: string): string {
  return `<details><summary>${escapeHtml(summary)}</summary>${content}</details>`;
}

function renderForm({ id, method, path, part }: Operation): string {
  const examples = examplesOf(partOf(part['requestBody']));
  const inputs = inputsOf(part, partOf(examples[0]?.value));
  const render = (some: typeof inputs): string => some.map((input) => renderInput(id, input)).join('\n');
  const shown = inputs.filter(({ isRequired, value }) => isRequired || value !== '');
  const optional = inputs.filter((input) => !shown.includes(input));
  return `<form class="try" data-method="${method}" data-path="${escapeHtml(path)}" aria-label="Try: ${escapeHtml(textOf(part['summary']))}">
${renderExampleChoice(id, examples)}
${render(shown)}
${optional.length === 0 ? '' : `<details class="optional"><summary>Optional fields (${optional.length})</summary>${render(optional)}</details>`}
<p class="send"><button class="main">${escapeHtml(textOf(part['summary']))}</button></p>
<p class="outcome" role="status"></p>
<div class="answer"></div>
${renderCode('The same on the command line', '', ' class="command"')}
</form>`;
}

/** Only where there is a choice. */
function renderExampleChoice(
  id: string,
  examples: readonly { readonly summary: string; readonly value: unknown }[],
): string {
  if (examples.length < 2) return '';
  const options = examples.map(
    ({ summary, value }) => `<option value="${escapeHtml(JSON.stringify(value))}">${escapeHtml(summary)}</option>`,
  );
  return `<div class="field"><label for="${id}-example">Fill in</label><select id="${id}-example" class="example">${options.join('')}</select></div>`;
}

function renderAnswers(responses: Part): string {
  const answers = partsOf(responses).map(([status, response]) => {
    const [type, media] = partsOf(response['content'])[0] ?? [];
    return type === 'application/problem+json'
      ? renderProblemLinks(status, codesOf(partOf(media?.['schema'])))
      : renderSuccess(status, response, partOf(media?.['schema']));
  });
  return `<h3>Answers</h3>
<ul class="answers">${answers.join('\n')}</ul>`;
}

function renderSuccess(status: string, response: Part, schema: Part): string {
  const examples = examplesOf(response).map(({ summary, value }) => renderJson(summary, value));
  const details = [
    examples.length === 0 ? '' : renderDetails(examples.length === 1 ? 'Example' : 'Examples', examples.join('')),
    renderDetails('Fields', renderFields(fieldsOf(schema))),
  ];
  return `<li>${renderStatus(status)} <div>${renderProse(textOf(response['description']))}${details.join('')}</div></li>`;
}

/** What each means is on its page. */
function renderProblemLinks(status: string, codes: readonly string[]): string {
  const links = codes.map((code) => {
    const title = isProblemCode(code) ? problems[code].title : '';
    return `<div><a href="./problems/${encodeURIComponent(code)}"><code>${escapeHtml(code)}</code></a> ${renderProse(title)}</div>`;
  });
  return `<li>${renderStatus(status)} <div>${links.join('')}</div></li>`;
}
