/**
 * Numbers for addresses with what belongs to them, found by the bytes of a message in place: an
 * entry is judged in less time than it takes to make strings of its addresses. Pure.
 */
import { finish, mix, u32At } from './entryBytes.js';

/** Words of a key: two that the caller chooses, and an address of IPv4 or IPv6. */
const keyWords = 6;

const hashSeed = 0x1f83d9ab;

/** Keys that are added once and looked up for every entry. */
export class AddressKeys {
  #keys = new Uint32Array(keyWords * 16);
  /** Numbers of keys plus one, by their hash; at most half of it is in use. */
  #index = new Int32Array(32);
  #count = 0;

  /** The number of this key, which is a new one unless it was added before. */
  add(one: number, two: number, address: Uint8Array): number {
    const known = this.find(one, two, address, 0, address.length);
    if (known >= 0) return known;
    const at = this.#count * keyWords;
    if (at === this.#keys.length) this.#grow();
    this.#keys.set([one, two], at);
    for (let byte = 0; byte < address.length; byte += 4) {
      this.#keys[at + 2 + byte / 4] = u32At(address, byte);
    }
    this.#count += 1;
    this.#insert(this.#count);
    return this.#count - 1;
  }

  /** The number of the key with the address of `width` bytes that is at `at`; -1 when unknown. */
  find(one: number, two: number, bytes: Uint8Array, at: number, width: number): number {
    const word0 = width > 0 ? u32At(bytes, at) : 0;
    const isLong = width === 16;
    const word1 = isLong ? u32At(bytes, at + 4) : 0;
    const word2 = isLong ? u32At(bytes, at + 8) : 0;
    const word3 = isLong ? u32At(bytes, at + 12) : 0;
    const keys = this.#keys;
    const mask = this.#index.length - 1;
    for (let probe = hashOf(one, two, word0, word1, word2, word3); ; probe += 1) {
      const number = (this.#index[probe & mask] ?? 0) - 1;
      if (number < 0) return -1;
      const key = number * keyWords;
      if (
        keys[key] === one &&
        keys[key + 1] === two &&
        keys[key + 2] === word0 &&
        keys[key + 3] === word1 &&
        keys[key + 4] === word2 &&
        keys[key + 5] === word3
      ) {
        return number;
      }
    }
  }

  #insert(numberPlusOne: number): void {
    const at = (numberPlusOne - 1) * keyWords;
    const word = (index: number): number => this.#keys[at + index] ?? 0;
    const mask = this.#index.length - 1;
    let probe = hashOf(word(0), word(1), word(2), word(3), word(4), word(5));
    while (this.#index[probe & mask] !== 0) probe += 1;
    this.#index[probe & mask] = numberPlusOne;
  }

  #grow(): void {
    const keys = new Uint32Array(this.#keys.length * 2);
    keys.set(this.#keys);
    this.#keys = keys;
    this.#index = new Int32Array(this.#index.length * 2);
    for (let number = 1; number <= this.#count; number += 1) this.#insert(number);
  }
}

function hashOf(
  one: number,
  two: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): number {
  let hash = mix(mix(mix(hashSeed, one), two), word0);
  if ((word1 | word2 | word3) !== 0) hash = mix(mix(mix(hash, word1), word2), word3);
  // Small enough that counting on from it stays exact.
  return finish(hash) >>> 1;
}
