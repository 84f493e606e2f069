/** An item that waits in a {@link MinHeap} for its time. */
interface Keyed<T> {
  readonly key: number;
  readonly item: T;
}

/**
 * A binary heap: the item with the smallest key first, in O(log n). Items of equal key come out in
 * no particular order.
 */
export class MinHeap<T> {
  #nodes: Keyed<T>[] = [];

  get size(): number {
    return this.#nodes.length;
  }

  /** The smallest key; `undefined` when the heap is empty. */
  get firstKey(): number | undefined {
    return this.#nodes[0]?.key;
  }

  push(key: number, item: T): void {
    this.#nodes.push({ key, item });
    this.#siftUp(this.#nodes.length - 1);
  }

  /** Takes out the item with the smallest key if that key is at most `key`. */
  popUntil(key: number): T | undefined {
    const first = this.#nodes[0];
    if (first === undefined || first.key > key) return undefined;
    const last = this.#nodes.pop();
    if (last !== undefined && last !== first) {
      this.#nodes[0] = last;
      this.#siftDown(0);
    }
    return first.item;
  }

  /** Takes out items from the front for as long as they are to go. */
  dropWhile(goes: (item: T) => boolean): void {
    for (;;) {
      const first = this.#nodes[0];
      if (first === undefined || !goes(first.item)) return;
      this.popUntil(first.key);
    }
  }

  /** Keeps only the items that `keyOf` gives a key, under that key; O(n). */
  rebuild(keyOf: (item: T) => number | undefined): void {
    const kept: Keyed<T>[] = [];
    for (const { item } of this.#nodes) {
      const key = keyOf(item);
      if (key !== undefined) kept.push({ key, item });
    }
    this.#nodes = kept;
    for (let index = (kept.length >> 1) - 1; index >= 0; index -= 1) this.#siftDown(index);
  }

  #siftUp(from: number): void {
    const nodes = this.#nodes;
    const node = nodes[from];
    if (node === undefined) return;
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = nodes[parentIndex];
      if (parent === undefined || parent.key <= node.key) break;
      nodes[index] = parent;
      index = parentIndex;
    }
    nodes[index] = node;
  }

  #siftDown(from: number): void {
    const nodes = this.#nodes;
    const node = nodes[from];
    if (node === undefined) return;
    let index = from;
    for (;;) {
      const left = nodes[2 * index + 1];
      const right = nodes[2 * index + 2];
      if (left === undefined) break;
      const rightIsLess = right !== undefined && right.key < left.key;
      const child = rightIsLess ? right : left;
      if (child.key >= node.key) break;
      nodes[index] = child;
      index = 2 * index + (rightIsLess ? 2 : 1);
    }
    nodes[index] = node;
  }
}
