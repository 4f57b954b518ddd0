/** Whether a value has the form of a message. Ignores what it does not know: a newer service may say more. */
export type Check = (value: unknown) => boolean;
export type Checks<Shape> = Readonly<Record<keyof Shape, Check>>;

export const text = (value: unknown): value is string => typeof value === 'string';
/** What is not set is the text "undefined" for a regular expression, whatever the types say. */
export const isText = (value: unknown, form: RegExp): value is string => text(value) && form.test(value);
export const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
export const object =
  <Shape, Unchecked extends keyof Shape = never>(checks: Checks<Omit<Shape, Unchecked>>) =>
  (value: unknown): value is Shape =>
    isObject(value) && Object.entries<Check>(checks).every(([name, check]) => check(value[name]));

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => Object(value) === value;
