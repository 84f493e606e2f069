/** All chains of a machine out of what the tools of its firewalls print. Pure. */
import type { FirewallListing } from '../../kernel/firewallListing.js';
import { parseIptables } from './iptablesText.js';
import type { ChainFact } from './model.js';
import { parseNftables } from './nftJson.js';

/** Reads every listing; a table that iptables keeps in nftables is read once. */
export function chainsOf(listings: readonly FirewallListing[]): readonly ChainFact[] {
  const known = new Set<string>();
  const chains: ChainFact[] = [];
  for (const listing of listings) {
    if (listing.kind !== 'iptables') continue;
    for (const chain of parseIptables(listing.program, listing.family, listing.text)) {
      chains.push(chain);
      if (!listing.overNftables) continue;
      known.add(`${listing.family === 4 ? 'ip' : 'ip6'} ${chain.table} ${chain.name}`);
    }
  }
  for (const listing of listings) {
    if (listing.kind !== 'nftables') continue;
    for (const chain of parseNftables(listing.json, listing.text)) {
      if (!known.has(`${chain.table} ${chain.name}`)) chains.push(chain);
    }
  }
  return chains;
}
