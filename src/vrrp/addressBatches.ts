/**
 * In how many calls of the kernel the addresses of one turn are moved. Pure.
 *
 * One call for all would be the least work, but the kernel looks through the addresses of an
 * interface for each that it adds, so a call with a thousand takes many times as long as one with
 * 250, and the clients of the first router would wait for all of it. So routers that become Active
 * together are taken a few at a time, and their addresses are announced before the next are added.
 */
import type { RouterEffect } from './election.js';

/** Addresses of one call, unless a single router has more. */
export const addressesPerBatch = 256;

type AddressEffect = RouterEffect<'add-addresses' | 'remove-addresses'>;

/** The batches in their order. Where anything is removed, an address may move: then it is one. */
export function addressBatches(
  effects: readonly AddressEffect[],
): readonly (readonly AddressEffect[])[] {
  if (effects.length === 0) return [];
  if (effects.some(({ type }) => type === 'remove-addresses')) return [effects];
  const batches: AddressEffect[][] = [];
  let room = 0;
  for (const effect of effects) {
    const current = batches.at(-1);
    if (current === undefined || effect.addresses.length > room) {
      batches.push([effect]);
      room = addressesPerBatch;
    } else {
      current.push(effect);
    }
    room -= effect.addresses.length;
  }
  return batches;
}
