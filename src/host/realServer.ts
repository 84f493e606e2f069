/**
 * Prepares a real server for direct routing or tunnels, in the calling thread's namespace, checks
 * that it is prepared, and takes the preparation back. Synchronous.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { TandemError } from '../errors.js';
import { closeGuePort, type GuePort, listGuePorts, openGuePort } from '../kernel/guePorts.js';
import { type AddressChange, openRouteNetlink, type RouteNetlink } from '../kernel/routeNetlink.js';
import { formatIpPrefix, type IpPrefix, parseIpPrefix } from '../wire/ipAddress.js';
import {
  fileHeader,
  isGuePortFile,
  persistentFiles,
  persistentPaths,
  unwritableParts,
} from './realServerFiles.js';
import type { PlacedAddress, RealServerPlan, TunnelDevice } from './realServerPlan.js';
import { missingSettings, SettingsKeeper } from './settings.js';

/** What is missing on a server, by its kind. */
export type RealServerGap =
  | ({ readonly kind: 'address' } & PlacedAddress)
  | { readonly kind: 'tunnel'; readonly name: string; readonly module: string }
  | ({ readonly kind: 'port' } & GuePort)
  | {
      readonly kind: 'setting';
      readonly setting: string;
      readonly found: string | undefined;
      readonly wanted: string;
    };

/** What was done, kept so that it can be taken back. */
interface AppliedRecord {
  readonly addresses: readonly { readonly device: string; readonly prefix: string }[];
  /** Devices that were set up; those that were made are removed again. */
  readonly tunnels: readonly string[];
  readonly made?: readonly string[];
  readonly ports?: readonly GuePort[];
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
      ...missingPorts(plan).map((port) => ({ kind: 'port', ...port }) as const),
      ...missingSettings(plan.settings).map(
        ({ change, found }) =>
          ({ kind: 'setting', setting: change.setting, found, wanted: change.wanted }) as const,
      ),
    ];
  });
}

function missingPorts({ ports }: RealServerPlan): readonly GuePort[] {
  if (ports.length === 0) return [];
  const open = listGuePorts();
  return ports.filter(
    ({ family, port }) => !open.some((found) => found.family === family && found.port === port),
  );
}

/**
 * Does what is missing, and notes it in `statePath`. Applying again adds to the note, so that
 * reverting takes all of it back. Returns what is still missing. Throws `PERMISSION`, or
 * `SYSTEM_CALL` where the kernel lacks a module or somebody else has a port; what was done until
 * then is noted.
 */
export function applyRealServer(plan: RealServerPlan, statePath: string): readonly RealServerGap[] {
  mkdirSync(dirname(statePath), { recursive: true });
  const gaps = realServerGaps(plan);
  const before = readRecord(statePath);
  const addresses = gaps.filter((gap) => gap.kind === 'address');
  const ports = gaps.filter((gap) => gap.kind === 'port');
  const tunnels = plan.tunnels.filter(({ name }) =>
    gaps.some((gap) => gap.kind === 'tunnel' && gap.name === name),
  );
  withRouteNetlink((netlink) => {
    const made = tunnels.filter(
      ({ name, local }) => local !== undefined && netlink.link(name) === undefined,
    );
    writeRecord(statePath, {
      addresses: [
        ...before.addresses,
        ...addresses.map(({ device, prefix }) => ({ device, prefix: formatIpPrefix(prefix) })),
      ],
      tunnels: [...before.tunnels, ...tunnels.map(({ name }) => name)],
      made: [...(before.made ?? []), ...made.map(({ name }) => name)],
      ports: [...(before.ports ?? []), ...ports.map(({ family, port }) => ({ family, port }))],
    });
    for (const tunnel of tunnels) bringUp(netlink, tunnel);
    for (const port of ports) openGuePort(port);
    // ARP is quiet before the addresses are there, or the server would answer for a moment.
    new SettingsKeeper(settingsPath(statePath)).add(plan.settings);
    changeAddresses(netlink, 'add', addresses);
  });
  return realServerGaps(plan);
}

function bringUp(netlink: RouteNetlink, { name, kind, module, local }: TunnelDevice): void {
  try {
    if (local === undefined) netlink.ensureTunnel(name, kind);
    else netlink.ensureLocalTunnel(name, kind, local);
    netlink.setLink(name, { up: true });
  } catch (cause) {
    const errno = cause instanceof TandemError ? cause.errnoName : undefined;
    if (errno !== 'EOPNOTSUPP' && errno !== 'ENODEV') throw cause;
    throw new TandemError('SYSTEM_CALL', `the kernel has no tunnel device ${name}`, {
      errnoName: errno,
      hint: `It needs the module ${module}: \`modprobe ${module}\` tells why it is not there.`,
      cause,
    });
  }
}

/** Takes back what {@link applyRealServer} did; returns what it took back, in words. */
export function revertRealServer(statePath: string): readonly string[] {
  const { addresses, tunnels, made = [], ports = [] } = readRecord(statePath);
  const placed = addresses.flatMap(({ device, prefix: text }) => {
    const prefix = parseIpPrefix(text);
    return prefix === undefined ? [] : [{ device, prefix }];
  });
  return withRouteNetlink((netlink) => {
    changeAddresses(netlink, 'delete', placed);
    const settings = new SettingsKeeper(settingsPath(statePath)).restore();
    const closed = ports.filter(isOpen);
    for (const port of closed) closeGuePort(port);
    const found = tunnels.filter((name) => netlink.link(name) !== undefined);
    const gone = found.filter((name) => made.includes(name));
    for (const name of gone) netlink.deleteLink(name);
    const down = found.filter((name) => !made.includes(name));
    for (const name of down) netlink.setLink(name, { up: false });
    rmSync(statePath, { force: true });
    return [
      ...addresses.map(({ device, prefix }) => `address ${prefix} off ${device}`),
      ...settings.map((setting) => `${setting} as it was`),
      ...closed.map(({ port }) => `UDP port ${port} closed`),
      ...gone.map((name) => `${name} removed`),
      ...down.map((name) => `${name} down`),
    ];
  });
}

function isOpen({ family, port }: GuePort): boolean {
  return listGuePorts().some((found) => found.family === family && found.port === port);
}

/**
 * Writes the files of a plan below `root`, and returns their paths. Throws `USAGE` for a plan that
 * systemd-networkd has no words for; nothing is written then.
 */
export function writePersistentFiles(plan: RealServerPlan, root: string): readonly string[] {
  const [unwritable] = unwritableParts(plan);
  if (unwritable !== undefined) {
    throw new TandemError('USAGE', `systemd-networkd cannot make ${unwritable}`, {
      hint: 'Leave --persist out, and run `tandem realserver apply` from a unit at boot.',
    });
  }
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
  const networks = join(root, '/etc/systemd/network');
  const found = existsSync(networks) ? readdirSync(networks) : [];
  return [
    ...persistentPaths.map((path) => join(root, path)),
    ...found.filter(isGuePortFile).map((name) => join(networks, name)),
  ].filter((path) => {
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
  if (Object.values(record).every((entries) => entries.length === 0)) return;
  writeFileSync(path, `${JSON.stringify(record)}\n`);
}
