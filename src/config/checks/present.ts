/** Helpers of the cross checks, which work on drafts: whatever is wrong already is `undefined`. */

/** The elements of a list that were read, with their index in the file. */
export function present<Item>(
  list: readonly (Item | undefined)[] | undefined,
): (readonly [index: number, item: Item])[] {
  const result: (readonly [number, Item])[] = [];
  for (const [index, item] of (list ?? []).entries()) {
    if (item !== undefined) result.push([index, item]);
  }
  return result;
}

/** Finds what was there before: keeps the first owner of each key. */
export class FirstOwners<Owner> {
  readonly #owners = new Map<string, Owner>();

  /** The owner that had the key before, or `undefined` when this is the first. */
  claim(key: string, owner: Owner): Owner | undefined {
    const earlier = this.#owners.get(key);
    if (earlier === undefined) this.#owners.set(key, owner);
    return earlier;
  }

  /** The owner of a key. */
  of(key: string): Owner | undefined {
    return this.#owners.get(key);
  }
}
