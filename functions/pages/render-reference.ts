import { pageAssets } from './assets.ts';
import { renderPage } from './render-page.ts';

/** The interactive reference: the explorer draws the OpenAPI description and sends what is tried to this very origin. */
export const renderReference = (): string =>
  renderPage({
    title: 'Reference',
    section: 'docs',
    base: '.',
    isHeaded: true,
    hint: '<p class="hint">To try it: paste your credential under Authentication, choose an operation, press Execute.</p>',
    head: `<link rel="stylesheet" href="./docs/${pageAssets.referenceStyle.name}">
<script type="module" src="./docs/${pageAssets.referenceScript.name}"></script>
<script type="module" src="./docs/${pageAssets.explorer.name}"></script>`,
    main: `<openapi-explorer hide-server-selection="true" hide-components="true" default-schema-tab="body" display-nulls="true" fetch-credentials="omit">
<noscript>The reference needs JavaScript; the description itself is <a href="./openapi.json">openapi.json</a>.</noscript>
</openapi-explorer>`,
  });
