/** What a command works with: the kernel's table, where its output goes, who owns what. */
import type { IpvsTable } from '../../kernel/ipvsTable.js';
import { formatServiceIdentity } from '../../wire/ipvsText.js';
import type { ListedTableService, ServiceKey } from '../table.js';
import type { CommandExtras } from './model.js';
import type { HostNames } from './nameResolver.js';
import type { AgentOwnership } from './ownership.js';

/** The world around a command. */
export interface CommandIo {
  /** Standard output. */
  write(text: string): void;
  /** Standard error. */
  writeError(text: string): void;
  /** Standard input, whole. */
  readInput(): Promise<string>;
  /** Whether the output is a terminal, which `--watch` clears. */
  readonly isTerminal: boolean;
  /** Where an agent is looked for. */
  readonly socketPath: string;
  /** Ends `--watch`. */
  readonly signal?: AbortSignal;
}

/** One command under way. */
export interface CommandContext {
  readonly table: IpvsTable;
  readonly io: CommandIo;
  readonly names: HostNames;
  readonly extras: CommandExtras;
  /** Asks a running agent what it owns; `undefined` without one, and with `--force`. */
  ownership(): Promise<AgentOwnership | undefined>;
}

/** The kernel's table with the servers of some services, or of all. */
export async function readTable(
  table: IpvsTable,
  wanted: ReadonlySet<ServiceKey> | 'all',
): Promise<readonly ListedTableService[]> {
  const entries: ListedTableService[] = [];
  for (const service of await table.services()) {
    const isWanted = wanted === 'all' || wanted.has(formatServiceIdentity(service.identity));
    const servers = isWanted ? await table.servers(service.identity) : [];
    entries.push({ service, servers });
  }
  return entries;
}
