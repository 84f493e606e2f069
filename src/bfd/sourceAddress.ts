/** Which of our addresses a session speaks from. Pure. */
import {
  familyOf,
  type IpAddress,
  type IpPrefix,
  ipAddress,
  prefixContains,
} from '../wire/ipAddress.js';

/** An address of the session's interface. */
export interface SourceCandidate {
  readonly prefix: IpPrefix;
  readonly secondary: boolean;
}

const linkLocal: IpPrefix = { address: ipAddress('fe80::'), length: 10 };

/**
 * The address to send from; `undefined` when there is none. Virtual addresses move with the
 * election and a session must not, so they are left out. What counts first is that the address is
 * as local to the link as the peer's, then that it is of the peer's network, then that it is
 * primary.
 */
export function chooseSource(
  candidates: readonly SourceCandidate[],
  peer: IpAddress,
  virtualAddresses: ReadonlySet<IpAddress>,
): IpAddress | undefined {
  const family = familyOf(peer);
  const isLocal = (address: IpAddress): boolean => prefixContains(linkLocal, address);
  const rank = ({ prefix, secondary }: SourceCandidate): number =>
    (isLocal(prefix.address) === isLocal(peer) ? 0 : 4) +
    (prefixContains(prefix, peer) ? 0 : 2) +
    (secondary ? 1 : 0);
  const [best] = candidates
    .filter(({ prefix }) => familyOf(prefix.address) === family)
    .filter(({ prefix }) => !virtualAddresses.has(prefix.address))
    .toSorted((left, right) => rank(left) - rank(right));
  return best?.prefix.address;
}
