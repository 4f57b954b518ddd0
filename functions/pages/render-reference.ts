import { escapeHtml, renderBlocks } from './markup.ts';
import { description, type Operation, operations, partOf, textOf, webhooks } from './openapi-document.ts';
import { assets } from './page-assets.ts';
import { renderOperation, renderWebhook } from './render-operation.ts';
import { renderPage } from './render-page.ts';

/** The reference, rendered from the OpenAPI description: every operation with a form that calls this same service. */
export function renderReference(): string {
  const { title, version, description: text } = partOf(description['info']);
  const [summary = '', ...rules] = textOf(text).split('\n\n');
  const security = partOf(partOf(description['components'])['securitySchemes']);
  const { description: credentialText } = partOf(Object.values(security)[0]);
  return renderPage({
    title: 'Reference',
    section: 'docs',
    base: '.',
    styles: [assets.reference],
    scripts: [assets.tryOperation],
    main: `<div class="reference">
<nav class="contents" aria-label="On this page"><ul>
<li><a href="#about">About</a></li>
<li><a href="#credential">Your credential</a></li>
${operations.map(renderContent).join('\n')}
${webhooks.length === 0 ? '' : `<li><a href="#callbacks">Callbacks</a></li>`}
<li><a href="#rules">What holds for all of it</a></li>
</ul></nav>
<main id="main">
<section id="about">
<h1>${escapeHtml(textOf(title))}</h1>
<p class="lead">Version ${escapeHtml(textOf(version))} · <a href="./openapi.json">OpenAPI description</a></p>
${renderBlocks(summary)}
</section>
<section id="credential" class="operation" aria-labelledby="credential-heading">
<div class="says">
<h2 id="credential-heading">Your credential</h2>
${renderBlocks(textOf(credentialText))}
</div>
${credentialForm}
</section>
${operations.map(renderOperation).join('\n')}
${webhooks.length === 0 ? '' : renderWebhooks()}
<section id="rules" class="operation" aria-labelledby="rules-heading">
<div class="says">
<h2 id="rules-heading">What holds for all of it</h2>
${renderBlocks(rules.join('\n\n'))}
</div>
</section>
</main>
</div>`,
  });
}

function renderContent({ id, part }: Operation): string {
  return `<li><a href="#${id}">${escapeHtml(textOf(part['summary']))}</a></li>`;
}

const credentialForm = `<form class="try" id="credential-form" aria-labelledby="credential-heading">
<div class="field"><label for="credential-value">Credential</label><input type="password" class="code-value" id="credential-value" aria-describedby="credential-hint" autocomplete="off" spellcheck="false"><p class="hint" id="credential-hint">It begins with <code>pcg_</code>. For the forms below. This tab keeps it until you close it, and sends it nowhere else.</p></div>
<p class="send"><button type="button" id="credential-show" aria-pressed="false">Show</button> <button type="button" id="credential-forget">Forget it</button></p>
<p role="status" id="credential-state" class="small"></p>
<noscript><p class="notice warn">The forms of this page need JavaScript. Everything else does not.</p></noscript>
</form>`;

function renderWebhooks(): string {
  return `<section id="callbacks" aria-labelledby="callbacks-heading">
<h2 id="callbacks-heading">Callbacks</h2>
<p>What the service sends to your address, once an operator has set it. Nothing has to be polled then.</p>
${webhooks.map(renderWebhook).join('\n')}
</section>`;
}
