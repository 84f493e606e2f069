/** Makes the command of a command line that has been read: defaults and cross checks. Pure. */
import { familyOf } from '../../wire/ipAddress.js';
import type {
  IpvsServer,
  IpvsService,
  Persistence,
  ServiceIdentity,
  SyncDaemon,
  TunnelEncapsulation,
} from '../../wire/ipvsModel.js';
import { maskGranularity } from '../../wire/ipvsService.js';
import type { Draft } from './draft.js';
import {
  type CommandExtras,
  exitStatus,
  type IpvsCommand,
  type ListColumns,
  type ListFormat,
  type ParsedCommandLine,
} from './model.js';
import { brokenRule } from './optionRules.js';
import { type CommandTag, type RuleOption, tunnelRules } from './options.js';
import { parseSchedulerFlags } from './schedulerFlagNames.js';

const schedulerDefault = 'wlc';

/** Where several sets of columns are asked for, the first of these is printed. */
const columnPrecedence: readonly ListColumns[] = [
  'statistics',
  'rates',
  'thresholds',
  'persistent-connections',
  'tunnels',
];

const tunnelOptions: readonly RuleOption[] = [
  'tun-type',
  'tun-port',
  'tun-nocsum',
  'tun-csum',
  'tun-remcsum',
];

/** The command, or why it is refused. */
export function buildCommand(
  tag: CommandTag,
  draft: Draft,
  extras: CommandExtras,
): ParsedCommandLine {
  const command = commandOf(tag, draft);
  const problem = typeof command === 'string' ? command : misplacedExtra(command, extras);
  if (problem !== undefined) {
    return { kind: 'refused', message: problem, exitStatus: exitStatus.invalid };
  }
  return { kind: 'command', command: command as IpvsCommand, extras };
}

function commandOf(tag: CommandTag, draft: Draft): IpvsCommand | string {
  switch (tag) {
    case 'help':
    case 'version':
      return { kind: tag };
    case 'add-service':
    case 'edit-service': {
      const service = serviceOf(draft);
      if (typeof service === 'string') return service;
      return { kind: 'change', operation: { kind: tag, service } };
    }
    case 'delete-service':
      return { kind: 'change', operation: { kind: tag, service: identityOf(draft) } };
    case 'add-server':
    case 'edit-server': {
      const server = serverOf(draft);
      if (typeof server === 'string') return server;
      return { kind: 'change', operation: { kind: tag, service: identityOf(draft), server } };
    }
    case 'delete-server': {
      const server = draft.server ?? impossible('real-server');
      return { kind: 'change', operation: { kind: tag, service: identityOf(draft), server } };
    }
    case 'flush':
      return { kind: 'clear' };
    case 'restore':
      return { kind: 'restore' };
    case 'save':
      return { kind: 'save', format: formatOf(draft) };
    case 'list':
      return listOf(draft);
    case 'zero':
      return draft.given.has('service-address')
        ? { kind: 'zero', service: identityOf(draft) }
        : { kind: 'zero' };
    case 'set':
      return { kind: 'set-timeouts', timeouts: draft.timeouts };
    case 'start-daemon':
      return { kind: 'start-daemon', daemon: daemonOf(draft) };
    case 'stop-daemon':
      return { kind: 'stop-daemon', role: draft.daemonRole };
  }
}

function listOf(draft: Draft): IpvsCommand | string {
  const has = (...options: readonly RuleOption[]): boolean =>
    options.some((option) => draft.given.has(option));
  const conflict =
    (has('connection', 'timeout', 'daemon') && has('stats', 'rate', 'thresholds')) ||
    (has('timeout', 'daemon') && has('persistent-conn'));
  if (conflict) return 'options conflicts in the list command';
  if (has('connection')) {
    return {
      kind: 'list-connections',
      numeric: has('numeric'),
      engineData: has('persistent-conn'),
    };
  }
  if (has('timeout')) return { kind: 'list-timeouts' };
  if (has('daemon')) return { kind: 'list-daemons' };
  const format = formatOf(draft);
  if (!has('service-address')) return { kind: 'list', format };
  return { kind: 'list', format, service: identityOf(draft) };
}

function formatOf(draft: Draft): ListFormat {
  return {
    columns: columnPrecedence.find((columns) => draft.columns.has(columns)) ?? 'default',
    numeric: draft.given.has('numeric'),
    exact: draft.given.has('exact'),
    sorted: !draft.given.has('nosort'),
  };
}

function serviceOf(draft: Draft): IpvsService | string {
  if (draft.fwmark === 0) {
    if (draft.port === 0 && draft.persistenceSeconds === undefined) {
      return 'Zero port specified for non-persistent service';
    }
    if (draft.onePacket && draft.protocol !== 'udp') {
      return 'One-Packet Scheduling is only for UDP virtual services';
    }
  }
  const flags = parseSchedulerFlags(draft.scheduler, draft.schedulerFlags);
  return {
    identity: identityOf(draft),
    scheduler: draft.scheduler === '' ? schedulerDefault : draft.scheduler,
    ...(draft.persistenceSeconds === undefined
      ? {}
      : { persistence: persistenceOf(draft, draft.persistenceSeconds) }),
    onePacket: draft.onePacket,
    schedulerFlags: typeof flags === 'string' ? 0 : flags,
    ...(draft.engine === '' ? {} : { persistenceEngine: draft.engine }),
  };
}

function identityOf(draft: Draft): ServiceIdentity {
  if (draft.fwmark !== 0) {
    return { kind: 'fwmark', family: draft.family, fwmark: draft.fwmark };
  }
  const { protocol, address, port } = draft;
  if (protocol === undefined || address === undefined) return impossible('service-address');
  return { kind: 'address', protocol, address, port };
}

function persistenceOf(draft: Draft, timeoutSeconds: number): Persistence {
  const { netmask } = draft;
  if (typeof netmask === 'number') return { timeoutSeconds, prefixLength: netmask };
  // An IPv6 mask that was left over from before an IPv4 service cannot be: the family sets both.
  return { timeoutSeconds, ...maskGranularity(netmask) };
}

function serverOf(draft: Draft): IpvsServer | string {
  const { server, forwarding } = draft;
  if (server === undefined) return impossible('real-server');
  const isTunnel = forwarding === 'tunnel';
  if (familyOf(server.address) !== draft.family && !isTunnel) {
    return 'Different address family is allowed only for tunneling servers';
  }
  if (!isTunnel && tunnelOptions.some((option) => draft.given.has(option))) {
    return 'Tunnel options conflict with forward method';
  }
  const place = `'${draft.tunnelType}' tunnel type`;
  const broken = brokenRule(tunnelRules[draft.tunnelType], draft.given, place, tunnelOptions);
  if (broken !== undefined) return broken;
  // Only address translation can change the port; packets of a mark keep theirs where it is 0.
  const keepsPort = draft.fwmark === 0 && forwarding !== 'nat';
  const encapsulation = isTunnel ? encapsulationOf(draft) : undefined;
  return {
    address: server.address,
    port: keepsPort ? draft.port : server.port,
    forwarding,
    weight: draft.weight,
    upperThreshold: draft.upperThreshold,
    lowerThreshold: draft.lowerThreshold,
    ...(encapsulation === undefined ? {} : { encapsulation }),
  };
}

function encapsulationOf(draft: Draft): TunnelEncapsulation | undefined {
  const plain = draft.given.has('tun-csum') ? 'full' : 'none';
  switch (draft.tunnelType) {
    case 'ipip':
      return undefined;
    case 'gre':
      return { type: 'gre', checksum: plain };
    case 'gue': {
      const checksum = draft.given.has('tun-remcsum') ? 'remote' : plain;
      return { type: 'gue', port: draft.tunnelPort, checksum };
    }
  }
}

function daemonOf(draft: Draft): SyncDaemon {
  return {
    role: draft.daemonRole,
    interface: draft.daemonInterface,
    syncId: draft.syncId,
    ...(draft.multicastGroup === undefined ? {} : { group: draft.multicastGroup }),
    ...(draft.multicastPort === undefined ? {} : { port: draft.multicastPort }),
    ...(draft.multicastTtl === undefined ? {} : { ttl: draft.multicastTtl }),
    ...(draft.syncLengthBytes === undefined ? {} : { maxLengthBytes: draft.syncLengthBytes }),
  };
}

/** `--json` and `--watch` are for what prints something. */
function misplacedExtra(command: IpvsCommand, extras: CommandExtras): string | undefined {
  const lists = command.kind === 'save' || command.kind.startsWith('list');
  if (lists) return undefined;
  if (extras.json) return '--json is for listings';
  return extras.watchIntervalMs === undefined ? undefined : '--watch is for listings';
}

function impossible(option: string): never {
  throw new Error(`the rules let a command line without ${option} pass`);
}
