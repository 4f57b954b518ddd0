const field = document.querySelector('#credential-value');
const show = document.querySelector('#credential-show');
const state = document.querySelector('#credential-state');
const NAME = 'plangrep-cancellation-credential';

/** The credential that the reader has pasted, for as long as the tab is open. @returns '' for none */
export function readCredential() {
  return field.value;
}

/** Leads the reader to the field. */
export function askForCredential() {
  field.focus();
  field.scrollIntoView({ block: 'center' });
}

/** People paste what they see: a whole header, an export line, with quotes and spaces around it. */
function tidy(pasted) {
  const [found] = /pcg_[\w-]+/.exec(pasted) ?? [];
  return found ?? pasted.trim();
}

function keep() {
  const value = tidy(field.value);
  if (value !== field.value) field.value = value;
  if (value === '') sessionStorage.removeItem(NAME);
  else sessionStorage.setItem(NAME, value);
  say();
}

function say() {
  const isOdd = field.value !== '' && !field.value.startsWith('pcg_');
  field.setAttribute('aria-invalid', String(isOdd));
  const words = field.value === '' ? 'No credential yet.' : 'This tab keeps your credential.';
  state.textContent = isOdd ? 'This does not look like a credential: one begins with pcg_.' : words;
}

function mask(isMasked) {
  field.type = isMasked ? 'password' : 'text';
  show.setAttribute('aria-pressed', String(!isMasked));
}

field.value = sessionStorage.getItem(NAME) ?? '';
say();
field.addEventListener('change', keep);
field.addEventListener('paste', () => setTimeout(keep));
field.form.addEventListener('submit', (event) => {
  event.preventDefault();
  keep();
});
show.addEventListener('click', () => mask(field.type === 'text'));
document.querySelector('#credential-forget').addEventListener('click', () => {
  field.value = '';
  mask(true);
  keep();
  field.focus();
});
