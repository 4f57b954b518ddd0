/** Why the local run cannot start, in one line that tells what to do: shown as it is, without a stack. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}
