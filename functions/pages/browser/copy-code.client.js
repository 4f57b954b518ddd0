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
  // Behind the visible word, a screen reader finds what is copied.
  const word = button.firstChild;
  const usual = (button.dataset.word ??= word.data);
  try {
    await navigator.clipboard.writeText(code.textContent);
    word.data = 'Copied';
  } catch {
    getSelection()?.selectAllChildren(code);
    word.data = 'Selected';
  }
  setTimeout(() => (word.data = usual), 2000);
}
