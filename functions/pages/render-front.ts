import { renderCode } from './markup.ts';
import { examplesOf, operations, partOf } from './openapi-document.ts';
import { assets } from './page-assets.ts';
import { renderPage } from './render-page.ts';

/** The service's first page: what it is, the way of a cancel, the first command. */
export function renderFront(): string {
  return renderPage({
    title: 'Cancel jobs by your own ids',
    base: '.',
    scripts: [assets.nameAddress],
    main: `<main class="read wide" id="main">
<h1>Cancel Plangrep jobs by your own id</h1>
<p class="lead-in">You say “cancel <code>order-7890</code>”. The service finds the job, cancels it at most once, continues until Plangrep confirms how it ended, and keeps a record of every step.</p>
<p><a class="button main" href="./docs">Read and try the API</a></p>
<h2>The way of a cancel</h2>
<div class="way"><ol>
<li class="done"><b>Your request</b><p>Over HTTPS or as an EventBridge event, with your own <code>externalId</code>.</p></li>
<li class="done"><b>On record</b><p>The intent is written before anything is done, so that no crash loses it.</p></li>
<li class="done"><b>Plangrep</b><p>Cancels the job. No clear answer? The service reads the job, and tries again only where that is safe.</p></li>
<li class="done"><b>The end</b><p>200 at once, or 202 and later the confirmed end, which a signed <a href="./docs#callbacks">callback</a> brings to your address. Pages that were not processed are not billed.</p></li>
</ol></div>
<h2>Your first cancel</h2>
<p>An operator gives you a credential; a local run prints one. Then, in a terminal:</p>
<div class="beside"><div>
${renderCode('Address and credential', `export CANCELLATION_URL=${addressOfThisPage}\nexport CANCELLATION_CREDENTIAL=pcg_…`, ' class="with-address"')}
${renderCode('Cancel order-7890', firstCommand)}
</div>
${renderCode('The answer: 200', firstAnswer())}
</div>
<h2>What you can rely on</h2>
<ul>
<li><strong>Repeat every request safely.</strong> A job is cancelled at most once, however often you ask.</li>
<li><strong>Accepted means seen through.</strong> After 200, 202 or 409 you need not send a cancel again.</li>
<li><strong>Only your jobs.</strong> A job that Plangrep does not confirm as yours cannot be reached, nor be told from one that does not exist.</li>
<li><strong>Errors say what to do.</strong> <a href="./problems">Every problem has its page</a>, and <code>code</code> for your program.</li>
</ul>
<p>For generators and tools: the <a href="./openapi.json">OpenAPI description</a>.</p>
</main>`,
  });
}

/** The page's script puts the real one in its place. */
const addressOfThisPage = 'https://the-address-of-this-page';

const firstCommand = `curl -sS "$CANCELLATION_URL/v1/cancellations" \\
  -H "Authorization: Bearer $CANCELLATION_CREDENTIAL" \\
  -H 'Content-Type: application/json' \\
  -d '{"externalId":"order-7890"}'`;

/** What a reader looks for first in the description's own example. */
function firstAnswer(): string {
  const cancel = operations.find(({ id }) => id === 'requestCancellation');
  const [example] = examplesOf(partOf(partOf(cancel?.part['responses'])['200']));
  const { jobId, externalId, state, outcome, pageCount, successfulPageCount, creditsDebited } = partOf(example?.value);
  const shown = { jobId, externalId, state, outcome, pageCount, successfulPageCount, creditsDebited };
  return JSON.stringify(shown, null, 2).replace(/\n}$/, ',\n  …\n}');
}
