/**
 * Makes every Copy of the page copy the code below it, those that are added later too. Where the browser refuses, the
 * code is selected, so that the keyboard's own copy takes it.
 */
document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('.code button') : null;
  const code = button?.closest('.code')?.querySelector('pre');
  if (button && code) void copy(button, code);
});

async function copy(button, code) {
  const usual = (button.dataset.word ??= button.textContent);
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = 'Copied';
  } catch {
    getSelection()?.selectAllChildren(code);
    button.textContent = 'Selected';
  }
  setTimeout(() => (button.textContent = usual), 2000);
}
