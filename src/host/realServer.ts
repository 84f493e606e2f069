/**
 * Prepares a real server for direct routing or tunnels, in the calling thread's namespace, checks
 * that it is prepared, and takes the preparation back. Synchronous.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AddressChange, openRouteNetlink, type RouteNetlink } from '../kernel/routeNetlink.js';
import { formatIpPrefix, type IpPrefix, parseIpPrefix } from '../wire/ipAddress.js';
import { fileHeader, persistentFiles, persistentPaths } from './realServerFiles.js';
import type { RealServerPlan } from './realServerPlan.js';
import { missingSettings, SettingsKeeper } from './settings.js';

/** What is missing on a server, by its kind. */
export type RealServerGap =
  | { readonly kind: 'address'; readonly prefix: IpPrefix }
  | { readonly kind: 'tunnel'; readonly name: string; readonly module: string }
  | {
      readonly kind: 'setting';
      readonly setting: string;
      readonly found: string | undefined;
      readonly wanted: string;
    };

/** What was done, kept so that it can be taken back. */
interface AppliedRecord {
  readonly addresses: readonly string[];
  readonly tunnels: readonly string[];
}

/** What a plan asks for and the machine does not have. */
export function realServerGaps(plan: RealServerPlan): readonly RealServerGap[] {
  return withRouteNetlink((netlink) => {
    const present = new Set(netlink.addresses().map(({ prefix }) => prefix.address));
    return [
      ...plan.addresses
        .filter(({ address }) => !present.has(address))
        .map((prefix) => ({ kind: 'address', prefix }) as const),
      ...plan.tunnels
        .filter(({ name }) => netlink.link(name)?.up !== true)
        .map(({ name, module }) => ({ kind: 'tunnel', name, module }) as const),
      ...missingSettings(plan.settings).map(
        ({ change, found }) =>
          ({ kind: 'setting', setting: change.setting, found, wanted: change.wanted }) as const,
      ),
    ];
  });
}

/**
 * Does what is missing, and notes it in `statePath`. Applying again adds to the note, so that
 * reverting takes all of it back. Returns what is still missing. Throws `PERMISSION` or
 * `SYSTEM_CALL`.
 */
export function applyRealServer(plan: RealServerPlan, statePath: string): readonly RealServerGap[] {
  mkdirSync(dirname(statePath), { recursive: true });
  const gaps = realServerGaps(plan);
  const before = readRecord(statePath);
  const addresses = gaps.flatMap((gap) => (gap.kind === 'address' ? [gap.prefix] : []));
  const tunnels = plan.tunnels.filter(({ name }) =>
    gaps.some((gap) => gap.kind === 'tunnel' && gap.name === name),
  );
  writeRecord(statePath, {
    addresses: [...before.addresses, ...addresses.map(formatIpPrefix)],
    tunnels: [...before.tunnels, ...tunnels.map(({ name }) => name)],
  });
  withRouteNetlink((netlink) => {
    for (const { name, kind } of tunnels) {
      netlink.ensureTunnel(name, kind);
      netlink.setLink(name, { up: true });
    }
    // ARP is quiet before the addresses are there, or the server would answer for a moment.
    new SettingsKeeper(settingsPath(statePath)).apply(plan.settings);
    changeLoopback(netlink, 'add', addresses);
  });
  return realServerGaps(plan);
}

/** Takes back what {@link applyRealServer} did; returns what it took back, in words. */
export function revertRealServer(statePath: string): readonly string[] {
  const { addresses, tunnels } = readRecord(statePath);
  const prefixes = addresses.map(parseIpPrefix).filter((prefix) => prefix !== undefined);
  return withRouteNetlink((netlink) => {
    changeLoopback(netlink, 'delete', prefixes);
    const settings = new SettingsKeeper(settingsPath(statePath)).restore();
    const down = tunnels.filter((name) => netlink.link(name) !== undefined);
    for (const name of down) netlink.setLink(name, { up: false });
    rmSync(statePath, { force: true });
    return [
      ...addresses.map((text) => `address ${text} off lo`),
      ...settings.map((setting) => `${setting} as it was`),
      ...down.map((name) => `${name} down`),
    ];
  });
}

/** Writes the files of a plan below `root`, and returns their paths. */
export function writePersistentFiles(plan: RealServerPlan, root: string): readonly string[] {
  return persistentFiles(plan).map(({ path, text }) => {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(`${target}.part`, text);
    renameSync(`${target}.part`, target);
    return target;
  });
}

/** Removes the files that are ours below `root`, and returns their paths. */
export function removePersistentFiles(root: string): readonly string[] {
  return persistentPaths
    .map((path) => join(root, path))
    .filter((path) => {
      if (!existsSync(path) || !readFileSync(path, 'utf8').startsWith(fileHeader)) return false;
      rmSync(path);
      return true;
    });
}

function changeLoopback(
  netlink: RouteNetlink,
  action: 'add' | 'delete',
  prefixes: readonly IpPrefix[],
): void {
  const interfaceIndex = netlink.link('lo')?.index ?? 1;
  const changes = prefixes.map((prefix): AddressChange => ({ action, interfaceIndex, prefix }));
  const failure = netlink.changeAddresses(changes).find((error) => error !== undefined);
  if (failure !== undefined) throw failure;
}

function withRouteNetlink<T>(use: (netlink: RouteNetlink) => T): T {
  const netlink = openRouteNetlink();
  try {
    return use(netlink);
  } finally {
    netlink.close();
  }
}

function settingsPath(statePath: string): string {
  return `${statePath}.settings`;
}

function readRecord(path: string): AppliedRecord {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as AppliedRecord;
  } catch {
    return { addresses: [], tunnels: [] };
  }
}

function writeRecord(path: string, record: AppliedRecord): void {
  if (record.addresses.length === 0 && record.tunnels.length === 0) return;
  writeFileSync(path, `${JSON.stringify(record)}\n`);
}
