/**
 * Prepares a real server for direct routing or tunnels, in the calling thread's namespace, checks
 * that it is prepared, and takes the preparation back. Synchronous.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AddressChange, openRouteNetlink, type RouteNetlink } from '../kernel/routeNetlink.js';
import { formatIpPrefix, type IpPrefix, parseIpPrefix } from '../wire/ipAddress.js';
import { fileHeader, persistentFiles, persistentPaths } from './realServerFiles.js';
import type { PlacedAddress, RealServerPlan } from './realServerPlan.js';
import { missingSettings, SettingsKeeper } from './settings.js';

/** What is missing on a server, by its kind. */
export type RealServerGap =
  | ({ readonly kind: 'address' } & PlacedAddress)
  | { readonly kind: 'tunnel'; readonly name: string; readonly module: string }
  | {
      readonly kind: 'setting';
      readonly setting: string;
      readonly found: string | undefined;
      readonly wanted: string;
    };

/** What was done, kept so that it can be taken back. */
interface AppliedRecord {
  readonly addresses: readonly { readonly device: string; readonly prefix: string }[];
  readonly tunnels: readonly string[];
}

/** What a plan asks for and the machine does not have. */
export function realServerGaps(plan: RealServerPlan): readonly RealServerGap[] {
  return withRouteNetlink((netlink) => {
    const present = netlink.addresses();
    const isPresent = ({ device, prefix: { address } }: PlacedAddress): boolean => {
      const found = present.filter(({ prefix }) => prefix.address === address);
      // An address serves wherever it is, but a tunnel must have one of its own.
      if (device === 'lo') return found.length > 0;
      const index = netlink.link(device)?.index;
      return found.some(({ interfaceIndex }) => interfaceIndex === index);
    };
    return [
      ...plan.addresses
        .filter((placed) => !isPresent(placed))
        .map((placed) => ({ kind: 'address', ...placed }) as const),
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
  const addresses = gaps.filter((gap) => gap.kind === 'address');
  const tunnels = plan.tunnels.filter(({ name }) =>
    gaps.some((gap) => gap.kind === 'tunnel' && gap.name === name),
  );
  writeRecord(statePath, {
    addresses: [
      ...before.addresses,
      ...addresses.map(({ device, prefix }) => ({ device, prefix: formatIpPrefix(prefix) })),
    ],
    tunnels: [...before.tunnels, ...tunnels.map(({ name }) => name)],
  });
  withRouteNetlink((netlink) => {
    for (const { name, kind } of tunnels) {
      netlink.ensureTunnel(name, kind);
      netlink.setLink(name, { up: true });
    }
    // ARP is quiet before the addresses are there, or the server would answer for a moment.
    new SettingsKeeper(settingsPath(statePath)).apply(plan.settings);
    changeAddresses(netlink, 'add', addresses);
  });
  return realServerGaps(plan);
}

/** Takes back what {@link applyRealServer} did; returns what it took back, in words. */
export function revertRealServer(statePath: string): readonly string[] {
  const { addresses, tunnels } = readRecord(statePath);
  const placed = addresses.flatMap(({ device, prefix: text }) => {
    const prefix = parseIpPrefix(text);
    return prefix === undefined ? [] : [{ device, prefix }];
  });
  return withRouteNetlink((netlink) => {
    changeAddresses(netlink, 'delete', placed);
    const settings = new SettingsKeeper(settingsPath(statePath)).restore();
    const down = tunnels.filter((name) => netlink.link(name) !== undefined);
    for (const name of down) netlink.setLink(name, { up: false });
    rmSync(statePath, { force: true });
    return [
      ...addresses.map(({ device, prefix }) => `address ${prefix} off ${device}`),
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

function changeAddresses(
  netlink: RouteNetlink,
  action: 'add' | 'delete',
  addresses: readonly { readonly device: string; readonly prefix: IpPrefix }[],
): void {
  const changes = addresses.flatMap(({ device, prefix }): AddressChange[] => {
    const interfaceIndex = netlink.link(device)?.index;
    // With a device its addresses have gone as well.
    return interfaceIndex === undefined ? [] : [{ action, interfaceIndex, prefix }];
  });
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
