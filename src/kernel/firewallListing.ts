/** The rules of everybody on this machine, as their own tools print them. */
import { findTool, runTool } from './systemTool.js';

/** What one tool printed. */
export type FirewallListing =
  | {
      readonly kind: 'iptables';
      /** `iptables`, or `iptables-legacy` where that is another one. */
      readonly program: string;
      readonly family: 4 | 6;
      /** Whether its rules are kept in tables of nftables, where they are listed once more. */
      readonly overNftables: boolean;
      readonly text: string;
    }
  | { readonly kind: 'nftables'; readonly json: string; readonly text: string };

/** All listings that this machine has, and why one is missing. */
export interface FirewallListings {
  readonly listings: readonly FirewallListing[];
  readonly failures: readonly string[];
}

const iptablesPrograms = [
  ['iptables', 4],
  ['ip6tables', 6],
  ['iptables-legacy', 4],
  ['ip6tables-legacy', 6],
] as const;

/** Lists everything. Never throws: what cannot be listed is told as a failure. */
export async function listFirewalls(): Promise<FirewallListings> {
  const listings: FirewallListing[] = [];
  const failures: string[] = [];
  const seen = new Set<string>();
  for (const [program, family] of iptablesPrograms) {
    const listing = await listIptables(program, family, failures);
    // Where `iptables` is the legacy one, its rules are not listed twice.
    if (listing === undefined || seen.has(`${family} ${listing.text}`)) continue;
    if (!listing.overNftables) seen.add(`${family} ${listing.text}`);
    listings.push(listing);
  }
  const nftables = await listNftables(failures);
  if (nftables !== undefined) listings.push(nftables);
  return { listings, failures };
}

async function listIptables(
  program: string,
  family: 4 | 6,
  failures: string[],
): Promise<(FirewallListing & { readonly kind: 'iptables' }) | undefined> {
  const tool = `${program}-save`;
  if (findTool(tool) === undefined) return undefined;
  const version = await runTool(tool, ['--version']);
  const overNftables = version.stdout.includes('nf_tables');
  const { status, stdout, stderr } = await runTool(tool, ['--counters']);
  if (status === 0) {
    const text = stdout.replace(/^#.*\n/gm, '');
    return text.trim() === ''
      ? undefined
      : { kind: 'iptables', program, family, overNftables, text };
  }
  if (!isWithoutSupport(stderr)) failures.push(`${tool}: ${firstLine(stderr)}`);
  return undefined;
}

async function listNftables(failures: string[]): Promise<FirewallListing | undefined> {
  if (findTool('nft') === undefined) return undefined;
  const { status, stdout, stderr } = await runTool('nft', ['--json', 'list', 'ruleset']);
  if (status !== 0) {
    if (!isWithoutSupport(stderr)) failures.push(`nft: ${firstLine(stderr)}`);
    return undefined;
  }
  const text = await runTool('nft', ['--handle', 'list', 'ruleset']);
  return { kind: 'nftables', json: stdout, text: text.stdout };
}

/** A kernel without these tables has no rules in them. */
function isWithoutSupport(text: string): boolean {
  return /not supported|no such file|does not exist|can't initialize|not found|invalid argument/i.test(
    text,
  );
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? 'failed'
  );
}
