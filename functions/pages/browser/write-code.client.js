/** Writes code into its element, so that a line is broken only between words: an id with hyphens stays in one piece. */
export function writeCode(element, text) {
  const parts = text.split(/(\S+[-?]\S+)/).map((part, index) => (index % 2 === 1 ? makeWord(part) : part));
  element.replaceChildren(...parts);
  return element;
}

function makeWord(text) {
  const word = document.createElement('span');
  word.textContent = text;
  return word;
}
