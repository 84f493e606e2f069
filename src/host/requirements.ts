/** What the services of a director need of the kernel's settings. Pure. */
import type { ServiceConfig, TandemConfig } from '../config/model.js';
import { checksOf } from '../config/serviceChecks.js';
import { familyOf } from '../wire/ipAddress.js';
import { syncRequirements } from './syncRequirements.js';

/** Why a setting is needed. */
export const requirementReasons = {
  'nat-forwarding': 'address translation forwards packets between clients and servers',
  'nat-redirects': 'a redirect would send answers past the director',
  'reverse-path': 'the strict reverse path filter drops clients that come in by another interface',
  'masquerade-conntrack': 'masquerading sees balanced connections only with it',
  'sync-version': 'older messages carry no IPv6, no firewall marks and no timeouts',
  'sync-coverage': 'idle connections and young templates would not be told to the peer',
  'sync-persistence': 'connections of persistent services would not be told to the peer',
  'sync-sloppy': 'a connection too young to have been told goes on by the same hash',
  'sync-backup-only': 'a director that is told would reset what it has taken over',
  'sync-ports': 'the daemons of the kernel must have as many ports as the relay',
  'template-expiry': 'persistent clients would stay with a server of weight 0',
  'port-reuse':
    'a client that uses a port again would go to the server it had, even one of weight 0',
} as const;

/** A key of {@link requirementReasons}. */
export type RequirementReason = keyof typeof requirementReasons;

/** One setting. */
export interface Requirement {
  /** As sysctl names it; a dot inside a name is a slash. */
  readonly setting: string;
  /** Values that do. */
  readonly accepted: readonly string[];
  /** The value that is set where another is found. */
  readonly wanted: string;
  readonly reason: RequirementReason;
  /** Without a required one no traffic flows; an advised one matters in some networks. */
  readonly level: 'required' | 'advised';
  /** `sync`: belongs to the mode of `connectionSync`, and is set whether or not others are. */
  readonly owner?: 'sync';
}

/** What a director needs, each setting once. */
export function directorRequirements(config: TandemConfig): readonly Requirement[] {
  return [...serviceRequirements(config), ...syncRequirements(config)];
}

function serviceRequirements(config: TandemConfig): readonly Requirement[] {
  const { services, system } = config;
  if (services.length === 0) return [];
  const families = new Set(services.filter(translates).map(familyOfService));
  const ipv4 = services.some((service) => familyOfService(service) === 4);
  const interfaces = directorInterfaces(config);
  return [
    ...(families.has(4) ? [exactly('net.ipv4.ip_forward', '1', 'nat-forwarding', 'required')] : []),
    ...(families.has(6)
      ? [exactly('net.ipv6.conf.all.forwarding', '1', 'nat-forwarding', 'required')]
      : []),
    ...(families.has(4)
      ? ['all', ...interfaces].map((name) =>
          exactly(ipv4Setting(name, 'send_redirects'), '0', 'nat-redirects', 'advised'),
        )
      : []),
    ...(ipv4 ? ['all', ...interfaces].map((name) => looseReversePath(name)) : []),
    ...(system.masquerade.length > 0
      ? [exactly('net.ipv4.vs.conntrack', '1', 'masquerade-conntrack', 'required')]
      : []),
    ...(services.some(keepsFailedServers)
      ? [exactly('net.ipv4.vs.expire_quiescent_template', '1', 'template-expiry', 'advised')]
      : []),
    ...(services.some(seesRequestsOnly) ? [portReuse] : []),
  ];
}

/** The setting of one IPv4 interface, or of `all`. */
export function ipv4Setting(interfaceName: string, parameter: string): string {
  return `net.ipv4.conf.${interfaceName.replaceAll('.', '/')}.${parameter}`;
}

/** The interfaces that virtual routers use on this node. */
export function directorInterfaces(config: TandemConfig): readonly string[] {
  const used = config.virtualRouters.map((router) => router.interface);
  return [...new Set([config.node.interface, ...used])];
}

/** The family of the clients of a service. */
export function familyOfService({ listeners: [first] }: ServiceConfig): 4 | 6 {
  if (first === undefined) return 4;
  return first.kind === 'address' ? familyOf(first.address) : first.family;
}

/**
 * The last state that a director sees of such a connection is FIN_WAIT; bit 2 schedules a new
 * connection of the same ports then as well (Documentation/networking/ipvs-sysctl.rst).
 */
const portReuse: Requirement = {
  setting: 'net.ipv4.vs.conn_reuse_mode',
  accepted: ['2', '3'],
  wanted: '3',
  reason: 'port-reuse',
  level: 'advised',
};

function seesRequestsOnly({ servers }: ServiceConfig): boolean {
  return servers.some(({ forwarding }) => forwarding === 'dr' || forwarding === 'tunnel');
}

function translates({ servers }: ServiceConfig): boolean {
  return servers.some(({ forwarding }) => forwarding === 'nat');
}

function keepsFailedServers(service: ServiceConfig): boolean {
  const { settings, whenDown } = service;
  const checked = checksOf(service).length > 0;
  return settings.persistence !== undefined && checked && whenDown === 'weight-zero';
}

function exactly(
  setting: string,
  wanted: string,
  reason: RequirementReason,
  level: Requirement['level'],
): Requirement {
  return { setting, accepted: [wanted], wanted, reason, level };
}

/** 0 is off and 2 is loose; 1 is strict (Documentation/networking/ip-sysctl.rst). */
function looseReversePath(name: string): Requirement {
  const setting = ipv4Setting(name, 'rp_filter');
  return { setting, accepted: ['0', '2'], wanted: '2', reason: 'reverse-path', level: 'advised' };
}
