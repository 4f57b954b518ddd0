/** Puts the service's real address into the commands of the page. */
const address = new URL('.', location.href).href.replace(/\/$/, '');
for (const code of document.querySelectorAll('.with-address code')) {
  code.textContent = code.textContent.replace('https://the-address-of-this-page', address);
}
