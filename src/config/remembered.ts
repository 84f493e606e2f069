/** Remembers what pure functions made of objects that nobody changes. Pure, in the same sense. */

/**
 * The same function, which works once for each object. What it gave is forgotten with the object.
 * A reload meets the objects of services that it has not changed again, and saves their work.
 */
export function rememberedByObject<Of extends object, Result>(
  make: (of: Of) => Result,
): (of: Of) => Result {
  const known = new WeakMap<Of, { readonly result: Result }>();
  return (of) => {
    const found = known.get(of);
    if (found !== undefined) return found.result;
    const result = make(of);
    known.set(of, { result });
    return result;
  };
}
