/**
 * Maps what comes, with up to `atOnce` calls under way, and keeps the order. A call that fails ends it; what is under way
 * then is awaited by its own caller only, so it must not reject unseen.
 */
export async function* readAhead<Input, Output>(
  inputs: AsyncIterable<Input> | Iterable<Input>,
  atOnce: number,
  call: (input: Input) => Promise<Output>,
): AsyncGenerator<Output> {
  const underWay: Promise<Output>[] = [];
  for await (const input of inputs) {
    const called = call(input);
    // Awaited below, in its turn. Until then a rejection is not an unhandled one.
    called.catch(() => undefined);
    underWay.push(called);
    if (underWay.length < atOnce) continue;
    const next = underWay.shift();
    if (next !== undefined) yield await next;
  }
  for (const next of underWay) yield await next;
}
