/** Did-you-mean: which known word was probably meant by a misspelt one. */

/** Longer words are not compared: the cost grows with the square of the length. */
const wordLengthMax = 64;

/** The known word nearest to `word`, or `undefined` when none is near enough to be meant. */
export function closestWord(word: string, known: Iterable<string>): string | undefined {
  if (word.length > wordLengthMax) return undefined;
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const distanceMax = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (distance > distanceMax || distance >= candidate.length) continue;
    if (best === undefined || distance < best.distance) best = { word: candidate, distance };
  }
  return best?.word;
}

/** The same as a hint; nothing when there is nothing near. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const closest = closestWord(word, known);
  return closest === undefined ? undefined : `did you mean ${closest}?`;
}

/**
 * Insertions, deletions, substitutions and swaps of neighbours that lead from one word to the other
 * (optimal string alignment).
 */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const substituted = (previous[column - 1] ?? 0) + (same ? 0 : 1);
      const deleted = (previous[column] ?? 0) + 1;
      const inserted = (current[column - 1] ?? 0) + 1;
      let cost = Math.min(substituted, deleted, inserted);
      const swapped =
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}
