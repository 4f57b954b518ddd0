const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** The Markdown within a line that the contract's texts use, as HTML: `code`, **strong** and [links](https://…). */
export function renderProse(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.startsWith('`') && part.length > 1 ? `<code>${escapeHtml(part.slice(1, -1))}</code>` : renderWords(part),
    )
    .join('');
}

function renderWords(text: string): string {
  return escapeHtml(text)
    .replaceAll(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replaceAll(/\[([^\]]+)\]\((https:[^)\s]+)\)/g, '<a href="$2">$1</a>');
}

/** Paragraphs and lists, which are parted by empty lines. */
export function renderBlocks(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((block) => {
      const lines = block.split('\n');
      if (!lines.every((line) => line.startsWith('- '))) return `<p>${renderProse(block)}</p>`;
      return `<ul>${lines.map((line) => `<li>${renderProse(line.slice(2))}</li>`).join('')}</ul>`;
    })
    .join('\n');
}

/** Code with what it is and Copy above it. A screen reader reads the name with the button. */
export function renderCode(name: string, code: string, attributes = ''): string {
  const label = escapeHtml(name);
  return `<figure class="code"><figcaption>${label} <button type="button" class="slim">Copy<span class="unseen"> ${label}</span></button></figcaption><pre${attributes}><code>${keepWords(escapeHtml(code))}</code></pre></figure>`;
}

/** A browser breaks a line after a hyphen or a question mark, which makes two of an id. `write-code.client.js` does the same. */
function keepWords(html: string): string {
  return html.replaceAll(/\S+[-?]\S+/g, '<span>$&</span>');
}

export function renderJson(name: string, value: unknown): string {
  return renderCode(name, JSON.stringify(value, null, 2));
}

/** An HTTP status, coloured by its class. */
export function renderStatus(status: string): string {
  const kind = status.startsWith('2') ? 'good' : status.startsWith('4') ? 'warn' : status.startsWith('5') ? 'bad' : '';
  return `<span class="badge ${kind}">${escapeHtml(status)}</span>`;
}
