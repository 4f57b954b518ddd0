/** The reference page's own script, before the explorer's: whole addresses, wherever the service is mounted. */
const explorer = document.querySelector('openapi-explorer');
explorer.setAttribute('server-url', new URL('.', location.href).href.replace(/\/$/, ''));
explorer.setAttribute('spec-url', new URL('openapi.json', location.href).href);

// Inside of the explorer no style of the page holds. A link in a text must not be known by its colour alone, a pressed
// button must keep its words, and what has the focus must show it.
const inside = new CSSStyleSheet();
inside.replaceSync(`
  .m-markdown a, .m-markdown-small a { text-decoration: underline }
  .m-btn.primary:hover, .m-btn.primary:focus-visible { color: var(--primary-btn-text-color) }
  :focus-visible { outline: 3px solid var(--primary-color) !important; outline-offset: -2px }
  syntax-highlighter, pre { tab-size: 2 }
`);
void customElements.whenDefined('openapi-explorer').then(() => explorer.shadowRoot?.adoptedStyleSheets.push(inside));

// The explorer says only "Failed to fetch". What to do is said in the bar, until a call is answered.
const hint = document.querySelector('.hint');
const [usual, call] = [hint.textContent, window.fetch];
const say = (text, isAlarm) => {
  hint.classList.toggle('alarm', isAlarm);
  if (hint.textContent !== text) hint.textContent = text;
};
window.fetch = async (...request) => {
  try {
    const response = await call(...request);
    say(usual, false);
    return response;
  } catch (error) {
    const advice = 'Check the connection. Start a local run that was stopped again, and paste its new credential.';
    if (error instanceof TypeError) say(`No answer from ${location.host}. ${advice}`, true);
    throw error;
  }
};
