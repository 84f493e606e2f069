/** The rules of everybody on this machine, as their own tools print them. */
import { readFileSync, realpathSync } from 'node:fs';
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

/** The programs, and the file that names the tables of a kernel that has the older ones. */
const families = [
  { family: 4, prefix: 'ip', tableNames: 'ip_tables_names' },
  { family: 6, prefix: 'ip6', tableNames: 'ip6_tables_names' },
] as const;

/** What a listing came to: the listing, nothing to list, or why it failed. */
type ListingResult = FirewallListing | undefined | { readonly failure: string };

/** Lists everything. Never throws: what cannot be listed is told as a failure. */
export async function listFirewalls(): Promise<FirewallListings> {
  const nftables = await attempt('nft', listNftables);
  // A kernel without tables of nftables has none that iptables could keep there.
  const hasNftables = nftables !== undefined || findTool('nft') === undefined;
  const results = [
    nftables,
    ...(await Promise.all(
      families.flatMap((entry) => [
        attempt(entry.prefix, () => (hasNftables ? listOverNftables(entry) : undefined)),
        attempt(entry.prefix, () => listLegacy(entry)),
      ]),
    )),
  ].filter((result) => result !== undefined);
  return {
    listings: results.filter((result) => 'kind' in result),
    failures: results.flatMap((result) => ('failure' in result ? [result.failure] : [])),
  };
}

async function attempt(
  what: string,
  list: () => Promise<ListingResult> | undefined,
): Promise<ListingResult> {
  try {
    return await list();
  } catch (error) {
    return { failure: `${what}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function listNftables(): Promise<ListingResult> {
  if (findTool('nft') === undefined) return undefined;
  const { status, stdout, stderr } = await runTool('nft', ['--json', 'list', 'ruleset']);
  if (status !== 0) {
    return isWithoutSupport(stderr) ? undefined : { failure: `nft: ${firstLine(stderr)}` };
  }
  const { stdout: text } = await runTool('nft', ['--handle', 'list', 'ruleset']);
  return { kind: 'nftables', json: stdout, text };
}

/** `iptables` where it is the front end of nftables. */
async function listOverNftables(entry: (typeof families)[number]): Promise<ListingResult> {
  const program = `${entry.prefix}tables`;
  return isOverNftables(`${program}-save`) ? save(program, entry.family, true) : undefined;
}

async function listLegacy(entry: (typeof families)[number]): Promise<ListingResult> {
  if (!hasLegacyTables(entry.tableNames)) return undefined;
  const plain = `${entry.prefix}tables`;
  const legacy = `${plain}-legacy`;
  if (findTool(`${legacy}-save`) !== undefined) return save(legacy, entry.family, false);
  if (!isOverNftables(`${plain}-save`)) return save(plain, entry.family, false);
  return { failure: `${legacy}-save is not installed, and the kernel has such rules` };
}

/** Listing loads modules, so only a kernel that has tables is asked for them. */
function hasLegacyTables(file: string): boolean {
  try {
    return readFileSync(`/proc/thread-self/net/${file}`, 'latin1').trim() !== '';
  } catch {
    return false;
  }
}

/** Debian, Fedora and others link the tool to one program for each of the two ways. */
function isOverNftables(tool: string): boolean {
  const path = findTool(tool);
  return path !== undefined && realpathSync(path).includes('nft');
}

async function save(program: string, family: 4 | 6, overNftables: boolean): Promise<ListingResult> {
  const tool = `${program}-save`;
  if (findTool(tool) === undefined) return { failure: `${tool} is not installed` };
  const { status, stdout, stderr } = await runTool(tool, ['--counters']);
  if (status === 0) return { kind: 'iptables', program, family, overNftables, text: stdout };
  return isWithoutSupport(stderr) ? undefined : { failure: `${tool}: ${firstLine(stderr)}` };
}

/** A kernel without these tables has no rules in them. */
function isWithoutSupport(text: string): boolean {
  const words = /not supported|no such file|does not exist|can't initialize|not found|invalid arg/i;
  return words.test(text);
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? 'failed'
  );
}
