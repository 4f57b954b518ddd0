/**
 * Runs in a page. What a reader would see of a bad layout, whatever the page is: text that is cut off, broken inside a
 * word or under a button, a page that scrolls sideways, fields that can hardly be seen or that show what is not a value.
 * @returns {string[]} one line for each fault
 */
export function findLayoutFaults() {
  const faults = [];
  const isShown = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && !element.closest('.unseen, .skip');
  const nameOf = (element) => {
    const name = element.id
      ? `#${element.id}`
      : element.className
        ? `.${String(element.className).replaceAll(' ', '.')}`
        : '';
    return `${element.tagName.toLowerCase()}${name} "${element.textContent.trim().replaceAll(/\s+/g, ' ').slice(0, 60)}"`;
  };
  const everything = [...document.body.querySelectorAll('*')].filter(isShown);
  const width = document.documentElement.clientWidth;

  if (document.documentElement.scrollWidth > width) {
    const wide = everything.filter(
      (element) => element.getBoundingClientRect().right > width + 1 && element.children.length === 0,
    );
    faults.push(`the page scrolls sideways: ${wide.slice(0, 3).map(nameOf).join(', ')}`);
  }

  for (const element of everything) {
    const { overflowX } = getComputedStyle(element);
    if (element.matches('input, textarea, select') || element.scrollWidth <= element.clientWidth + 1) continue;
    // A region that can be focused can be scrolled with the keyboard. Code is never in need of that.
    const mayScroll = element.tabIndex >= 0 && overflowX === 'auto' && !element.matches('pre');
    if (overflowX !== 'visible' && !mayScroll) faults.push(`cut off at its side: ${nameOf(element)}`);
  }

  const texts = textsOf(document.body).filter(({ parentElement }) => isShown(parentElement));
  for (const text of texts) faults.push(...brokenWords(text).map((word) => `broken inside a word: ${word}`));

  for (const text of texts) {
    const isInScroll = text.parentElement.closest('[tabindex="0"]') !== null;
    const edge = Math.max(...rectsOf(text).map(({ right }) => right));
    if (edge > width - 8 && !isInScroll) faults.push(`at the edge of the page: ${nameOf(text.parentElement)}`);
  }

  const buttons = everything.filter((element) => element.matches('button, .button'));
  for (const button of buttons) {
    const area = clip(button.getBoundingClientRect(), button);
    if (button.getBoundingClientRect().height < 24) faults.push(`too small to press: ${nameOf(button)}`);
    const under = texts.find(
      (text) => !button.contains(text) && rectsOf(text).some((rect) => overlap(clip(rect, text.parentElement), area)),
    );
    if (under) faults.push(`over a text: ${nameOf(button)} over "${under.data.trim().slice(0, 40)}"`);
  }

  for (const field of everything.filter((element) => element.matches('input, select, textarea'))) {
    if (field.placeholder) faults.push(`shows a text that is not its value: ${nameOf(field)} ${field.placeholder}`);
    const { borderTopColor, backgroundColor } = getComputedStyle(field);
    if (field.matches('[type="checkbox"], [type="radio"]')) continue;
    const contrast = contrastOf(borderTopColor, backgroundColor);
    if (contrast < 3) faults.push(`a border of contrast ${contrast.toFixed(1)}: ${nameOf(field)}`);
  }
  return faults;

  function textsOf(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) if (walker.currentNode.data.trim() !== '') found.push(walker.currentNode);
    return found;
  }

  function rectsOf(text, from = 0, to = text.data.length) {
    const range = document.createRange();
    range.setStart(text, from);
    range.setEnd(text, to);
    return [...range.getClientRects()].filter((rect) => rect.width > 0);
  }

  /** What is seen of a rectangle in an element: the boxes around it that scroll cut off the rest. */
  function clip({ left, top, right, bottom }, element) {
    const seen = { left, top, right, bottom };
    for (let box = element.parentElement; box !== null; box = box.parentElement) {
      if (getComputedStyle(box).overflowY === 'visible') continue;
      const area = box.getBoundingClientRect();
      seen.left = Math.max(seen.left, area.left);
      seen.top = Math.max(seen.top, area.top);
      seen.right = Math.min(seen.right, area.right);
      seen.bottom = Math.min(seen.bottom, area.bottom);
    }
    return seen;
  }

  function overlap(one, other) {
    const [across, down] = [
      Math.min(one.right, other.right) - Math.max(one.left, other.left),
      Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top),
    ];
    return across > 1 && down > 1;
  }

  /** Words that are on two lines although one line has room for them. Prose may break at a hyphen or a slash, code not. */
  function brokenWords(text) {
    const isCode = text.parentElement.closest('code, pre') !== null;
    const words = [...text.data.matchAll(isCode ? /\S+/g : /[\p{L}\p{N}_]+/gu)];
    return words
      .filter(({ 0: word, index }) => {
        const rects = rectsOf(text, index, index + word.length);
        const lines = new Set(rects.map(({ top }) => Math.round(top)));
        const length = rects.reduce((sum, rect) => sum + rect.width, 0);
        return lines.size > 1 && length <= roomOf(text.parentElement);
      })
      .map(([word]) => word);
  }

  /** How long a line can be where an element stands. */
  function roomOf(element) {
    const { display, paddingLeft, paddingRight } = getComputedStyle(element);
    const padding = Number.parseFloat(paddingLeft) + Number.parseFloat(paddingRight);
    const isInline = display.startsWith('inline') && element.parentElement !== null;
    return (isInline ? roomOf(element.parentElement) : element.clientWidth) - padding;
  }

  /** @see https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
  function contrastOf(one, other) {
    const [high, low] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  }

  function luminanceOf(color) {
    const [red, green, blue] = color.match(/[\d.]+/g).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }
}
