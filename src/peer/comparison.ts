/**
 * What the two directors make of each other's configuration and state. Pure: values in, words and
 * verdicts out. Nothing here changes the election; it is for the operator.
 */
import type { PeerRouterConfig, PeerRouterState } from '../wire/peerMessage.js';
import type { PeerRouters, PeerSharedConfig } from './protocol.js';

/** The differences that are told at most. A file that is wholly another one needs no more. */
export const driftMax = 100;

/** The addresses that one difference names at most. */
const addressesNamedMax = 5;

/** Two directors may both be Active for so long while one takes over from the other. */
const splitBrainBoundMinMs = 3_000;

/** A peer whose state is older than this is not judged by it, in milliseconds. */
export const stateAgeMaxMs = 5_000;

/**
 * The differences between our shared configuration and the peer's, in words: `router outside:
 * advertInterval 1s here, 100ms there`. A value that one side does not tell is not a difference,
 * because the other may be of another version.
 */
export function configDrift(own: PeerSharedConfig, peer: PeerSharedConfig): readonly string[] {
  if (own.digest === peer.digest) return [];
  const { pairs, onlyOwn, onlyPeer } = pairUp(own.routers, peer.routers);
  const drift = [
    ...pairs.flatMap(([here, there]) => routerDrift(here, there)),
    ...onlyOwn.map((router) => `router ${router.name} (vrid ${router.vrid}): only here`),
    ...onlyPeer.map((router) => `router ${router.name} (vrid ${router.vrid}): only there`),
  ];
  if (drift.length <= driftMax) return drift;
  return [...drift.slice(0, driftMax - 1), `and ${drift.length - driftMax + 1} more`];
}

function routerDrift(here: PeerRouterConfig, there: PeerRouterConfig): readonly string[] {
  if (here.digest === there.digest) return [];
  const drift: string[] = [];
  const differs = (what: string, own: string | number, other: string | number): void => {
    if (own !== other) drift.push(`router ${here.name}: ${what} ${own} here, ${other} there`);
  };
  differs('name', here.name, there.name);
  differs('vrid', here.vrid, there.vrid);
  for (const [key, value] of Object.entries(here.values)) {
    const other = there.values[key];
    if (other !== undefined) differs(key, value, other);
  }
  const missing = (addresses: readonly string[], from: readonly string[], where: string): void => {
    const known = new Set(from);
    const only = addresses.filter((address) => !known.has(address));
    if (only.length > 0) drift.push(`router ${here.name}: ${addressList(only)} only ${where}`);
  };
  missing(here.addresses, there.addresses, 'here');
  missing(there.addresses, here.addresses, 'there');
  return drift;
}

function addressList(addresses: readonly string[]): string {
  const named = addresses.slice(0, addressesNamedMax).join(' ');
  const more = addresses.length - addressesNamedMax;
  return `${addresses.length === 1 ? 'address' : 'addresses'} ${named}${
    more > 0 ? ` and ${more} more` : ''
  }`;
}

/** A router that both directors are Active for. */
export interface SplitBrain {
  readonly router: string;
  readonly vrid: number;
  readonly reason: 'split-brain';
  /** Since when both are Active. */
  readonly sinceUnixMs: number;
}

/** When something was seen: on the clock that only goes forward, and on the wall. */
export interface Instant {
  readonly monotonicMs: number;
  readonly unixMs: number;
}

/** Routers that both directors are Active for, and since when that was seen. */
export type SplitBrainState = ReadonlyMap<string, SplitBrain & { readonly seenMs: number }>;

/** Nothing is known. */
export const noSplitBrain: SplitBrainState = new Map();

/**
 * How long both directors must be Active before it is called a split brain. Two that hear each
 * other agree within one advertisement, so three of the longest interval, and not less than the
 * time that their reports need.
 */
export function splitBrainBoundMs(advertIntervalsCs: readonly number[]): number {
  return Math.max(splitBrainBoundMinMs, ...advertIntervalsCs.map((interval) => interval * 30));
}

/**
 * Follows which routers both directors are Active for. `peer` is null when nothing is known of it,
 * which ends every suspicion; a state that is too old to judge by leaves them as they are.
 */
export function followSplitBrain(
  before: SplitBrainState,
  own: PeerRouters,
  peer: { readonly routers: PeerRouters; readonly stateAgeMs: number } | null,
  now: Instant,
): SplitBrainState {
  if (peer === null) return noSplitBrain;
  if (peer.stateAgeMs > stateAgeMaxMs) return before;
  const both = pairUp(own, peer.routers).pairs.filter(
    ([here, there]) => here.state === 'active' && there.state === 'active',
  );
  return new Map(both.map(([here, there]) => [here.name, suspicion(before, here, there, now)]));
}

/** Those that have lasted for longer than the bound. */
export function splitBrains(
  state: SplitBrainState,
  boundMs: number,
  now: Instant,
): readonly SplitBrain[] {
  return [...state.values()]
    .filter(({ seenMs }) => now.monotonicMs - seenMs > boundMs)
    .map(({ seenMs: _, ...splitBrain }) => splitBrain);
}

function suspicion(
  before: SplitBrainState,
  here: PeerRouterState,
  there: PeerRouterState,
  now: Instant,
): SplitBrain & { readonly seenMs: number } {
  const known = before.get(here.name);
  if (known !== undefined) return known;
  return {
    router: here.name,
    vrid: here.vrid,
    reason: 'split-brain',
    sinceUnixMs: Math.min(now.unixMs, Math.max(here.sinceUnixMs, there.sinceUnixMs)),
    seenMs: now.monotonicMs,
  };
}

interface Identified {
  readonly name: string;
  readonly vrid: number;
}

/**
 * Puts the routers of both sides together: by name, and what is left by VRID, which is what the
 * wire goes by, as long as it is the only one on either side.
 */
function pairUp<Router extends Identified>(
  own: readonly Router[],
  peer: readonly Router[],
): {
  readonly pairs: readonly (readonly [Router, Router])[];
  readonly onlyOwn: readonly Router[];
  readonly onlyPeer: readonly Router[];
} {
  const pairs: (readonly [Router, Router])[] = [];
  const peerByName = new Map(peer.map((router) => [router.name, router]));
  const match = (here: Router, there: Router): void => {
    pairs.push([here, there]);
    ownLeft.delete(here);
    peerLeft.delete(there);
  };
  const ownLeft = new Set(own);
  const peerLeft = new Set(peer);
  for (const here of own) {
    const there = peerByName.get(here.name);
    if (there !== undefined) match(here, there);
  }
  for (const here of [...ownLeft]) {
    const same = [...peerLeft].filter((there) => there.vrid === here.vrid);
    const [there] = same;
    const isOnly = [...ownLeft].filter((other) => other.vrid === here.vrid).length === 1;
    if (there !== undefined && same.length === 1 && isOnly) match(here, there);
  }
  return { pairs, onlyOwn: [...ownLeft], onlyPeer: [...peerLeft] };
}
