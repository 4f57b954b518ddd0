import type { Random } from '../proof/simulation/random.ts';

/** The items in another order: the same for the same seed. */
export const shuffle = <Item>(items: readonly Item[], random: Random): Item[] =>
  items
    .map((item) => ({ item, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
