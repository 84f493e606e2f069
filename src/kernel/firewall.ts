/**
 * Rule sets of our own in the firewall of the calling thread's network namespace: nftables, or
 * iptables where nft is not installed or the kernel has no nftables.
 *
 * A set is replaced as a whole in one transaction, so that no packet meets half of it; rules of
 * others are never touched. What the kernel has afterwards is remembered, so that an audit finds
 * every change that somebody else made, and puts the set back.
 */
import { TandemError } from '../errors.js';
import {
  type FirewallPlace,
  type FirewallRuleSet,
  firewallPlaces,
  rulesAt,
} from './firewallModel.js';
import {
  familyOfRule,
  iptablesChainName,
  iptablesReplaceInput,
  iptablesTable,
  savedLinesOf,
} from './iptables.js';
import {
  type NftListing,
  nftChainName,
  nftDeleteTableScript,
  nftReplaceScript,
  nftTable,
  readNftListing,
} from './nftables.js';
import { findTool, runTool, type ToolResult } from './systemTool.js';

export type * from './firewallModel.js';

/** What keeps the rules. `iptables-legacy` where `iptables` is a front end of nftables. */
export const firewallBackends = ['nftables', 'iptables', 'iptables-legacy'] as const;

/** A name of {@link firewallBackends}. */
export type FirewallBackendName = (typeof firewallBackends)[number];

/** Where the rules are kept: puts a set there and tells what of it is there. */
interface FirewallBackend {
  readonly name: FirewallBackendName;
  /** Puts the set in the place of an earlier one; without rules it takes it away. */
  replace(set: FirewallRuleSet): Promise<void>;
  /** What the kernel has of a set, as text that changes with every change. Empty: nothing. */
  listing(set: FirewallRuleSet): Promise<string>;
}

/** Our rule sets. Calls must not overlap; the agent's main thread makes them one by one. */
export class Firewall {
  readonly #backend: FirewallBackend;
  readonly #sets = new Map<string, { readonly set: FirewallRuleSet; listing: string }>();

  constructor(backend: FirewallBackend) {
    this.#backend = backend;
  }

  /** What keeps the rules. */
  get backend(): FirewallBackendName {
    return this.#backend.name;
  }

  /**
   * Makes a set as given, whatever was there under its name, from this process or an earlier one.
   * Without rules nothing of the set is left. Throws `FIREWALL_REFUSED` or `PERMISSION`.
   */
  async replace(set: FirewallRuleSet): Promise<void> {
    requireSetName(set.name);
    await this.#backend.replace(set);
    if (set.rules.length === 0) this.#sets.delete(set.name);
    else this.#sets.set(set.name, { set, listing: await this.#backend.listing(set) });
  }

  /** Puts back what others have changed since; returns the names of those sets. */
  async audit(): Promise<readonly string[]> {
    const repaired: string[] = [];
    for (const [name, kept] of this.#sets) {
      if ((await this.#backend.listing(kept.set)) === kept.listing) continue;
      await this.#backend.replace(kept.set);
      kept.listing = await this.#backend.listing(kept.set);
      repaired.push(name);
    }
    return repaired;
  }
}

/**
 * Finds what keeps rules on this machine. Throws `FIREWALL_UNAVAILABLE` when nothing does, or when
 * the one that is asked for does not; `PERMISSION` without CAP_NET_ADMIN.
 */
export async function openFirewall(wanted: FirewallBackendName | 'auto'): Promise<Firewall> {
  const reasons: string[] = [];
  for (const name of firewallBackends) {
    if (wanted !== 'auto' && wanted !== name) continue;
    const backend = name === 'nftables' ? new NftBackend() : new IptablesBackend(name);
    const reason = await backend.complaint();
    if (reason === undefined) return new Firewall(backend);
    if (/permission denied|operation not permitted|must be root/i.test(reason)) {
      throw new TandemError('PERMISSION', `${name}: ${reason}`);
    }
    reasons.push(`${name}: ${reason}`);
  }
  throw new TandemError('FIREWALL_UNAVAILABLE', `no firewall works here: ${reasons.join('; ')}`);
}

class NftBackend implements FirewallBackend {
  readonly name = 'nftables';

  /** Why it does not work here; a transaction that is only checked changes nothing. */
  async complaint(): Promise<string | undefined> {
    if (findTool('nft') === undefined) return 'nft is not installed';
    const probe: FirewallRuleSet = {
      name: 'probe',
      rules: [{ kind: 'sender-only', family: 4, interface: 'lo', port: 1, userId: 0 }],
    };
    const input = nftReplaceScript(probe, []);
    const result = await runTool('nft', ['--check', '--file', '-'], { input });
    return result.status === 0 ? undefined : firstLine(result);
  }

  async replace(set: FirewallRuleSet): Promise<void> {
    const present = [...(await this.#chains()).keys()];
    const own = new Set(firewallPlaces.map((place) => nftChainName(set.name, place)));
    const others = present.filter((chain) => !own.has(chain));
    if (set.rules.length === 0 && others.length === 0) {
      if (await this.#tableExists()) await this.#run(set, nftDeleteTableScript);
      return;
    }
    await this.#run(set, nftReplaceScript(set, present));
  }

  async listing(set: FirewallRuleSet): Promise<string> {
    const chains = await this.#chains();
    return firewallPlaces
      .map((place) => chains.get(nftChainName(set.name, place)))
      .filter((text) => text !== undefined)
      .join('\n');
  }

  async #run(set: FirewallRuleSet, input: string): Promise<void> {
    const result = await runTool('nft', ['--file', '-'], { input });
    if (result.status !== 0) throw refused(this.name, set, result);
  }

  async #tableExists(): Promise<boolean> {
    return (await this.#list()).status === 0;
  }

  async #chains(): Promise<NftListing> {
    const { status, stdout } = await this.#list();
    return status === 0 ? readNftListing(stdout) : new Map();
  }

  /** Its status tells whether there is such a table. */
  #list(): Promise<ToolResult> {
    const args = ['--json', '--handle', '--numeric', 'list', 'table', ...nftTable.split(' ')];
    return runTool('nft', args);
  }
}

/** The programs of a family, by the name of their kind. */
const iptablesPrograms = {
  iptables: { 4: 'iptables', 6: 'ip6tables' },
  'iptables-legacy': { 4: 'iptables-legacy', 6: 'ip6tables-legacy' },
} as const;

/** Waits for the lock that all users of iptables share, in seconds. */
const lockWaitSeconds = '5';

class IptablesBackend implements FirewallBackend {
  readonly name: 'iptables' | 'iptables-legacy';

  constructor(name: 'iptables' | 'iptables-legacy') {
    this.name = name;
  }

  async complaint(): Promise<string | undefined> {
    const program = `${iptablesPrograms[this.name][4]}-restore`;
    if (findTool(program) === undefined) return `${program} is not installed`;
    // Listing, or restoring for a test, does not ask the kernel; a chain that comes and goes does.
    const input = '*mangle\n:TANDEM-PROBE - [0:0]\n-X TANDEM-PROBE\nCOMMIT\n';
    const result = await runTool(program, ['--noflush', '--wait', lockWaitSeconds], { input });
    return result.status === 0 ? undefined : firstLine(result);
  }

  async replace(set: FirewallRuleSet): Promise<void> {
    for (const family of [4, 6] as const) {
      const program = iptablesPrograms[this.name][family];
      for (const place of firewallPlaces) {
        const lines = await this.#savedLines(set, place, family);
        const input = iptablesReplaceInput(set, place, family, lines);
        if (input === undefined) continue;
        const args = ['--noflush', '--wait', lockWaitSeconds];
        const result = await runTool(`${program}-restore`, args, { input });
        if (result.status !== 0) throw refused(program, set, result);
      }
    }
  }

  async listing(set: FirewallRuleSet): Promise<string> {
    const lines: string[] = [];
    for (const family of [4, 6] as const) {
      if (!set.rules.some((rule) => familyOfRule(rule) === family)) continue;
      for (const place of firewallPlaces) {
        if (rulesAt(set, place).length === 0) continue;
        lines.push(...(await this.#savedLines(set, place, family)));
      }
    }
    return lines.join('\n');
  }

  /** What is there of a set. Nothing where the kernel has no such table, as without IPv6. */
  async #savedLines(
    set: FirewallRuleSet,
    place: FirewallPlace,
    family: 4 | 6,
  ): Promise<readonly string[]> {
    const program = `${iptablesPrograms[this.name][family]}-save`;
    if (findTool(program) === undefined) return [];
    const { status, stdout } = await runTool(program, ['-t', iptablesTable(place)]);
    return status === 0 ? savedLinesOf(stdout, iptablesChainName(set.name, place)) : [];
  }
}

function requireSetName(name: string): void {
  if (/^[a-z]{1,10}$/.test(name)) return;
  throw new TandemError('INTERNAL', `not a name for a set of firewall rules: ${name}`);
}

function firstLine({ stderr, status }: ToolResult): string {
  const [line = ''] = stderr.split('\n').filter((text) => text.trim() !== '');
  return line === '' ? `ended with status ${status}` : line.trim();
}

function refused(program: string, set: FirewallRuleSet, result: ToolResult): TandemError {
  const message = `${program} refused the rules of ${set.name}: ${firstLine(result)}`;
  return new TandemError('FIREWALL_REFUSED', message);
}
