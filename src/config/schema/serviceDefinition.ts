/** Keys of `services`. */
import { rememberedByObject } from '../remembered.js';
import { checkType } from './checkDefinition.js';
import { listOf, oneOrMany } from './containerTypes.js';
import { optional, required, section, withDefault } from './definition.js';
import { checksNeeded, serviceHealthKeys } from './healthDefinition.js';
import { isMapping, mappingOf } from './mappingReader.js';
import { listener, netmask, serverEndpoint } from './networkTypes.js';
import { partName } from './routerDefinition.js';
import { boolean, duration, integer, oneOf } from './scalarTypes.js';
import { markTarget } from './systemDefinition.js';
import { tunnelType } from './tunnelType.js';

/** The schedulers of the kernel by their module names (`ip_vs_<name>`). */
export const schedulers = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'sed',
  'nq',
  'fo',
  'ovf',
  'sh',
  'mh',
  'dh',
  'lblc',
  'lblcr',
  'twos',
  'none',
] as const;

/** The flags of schedulers: the scheduler they belong to and the bit that they set. */
export const schedulerFlags = {
  'sh-fallback': { scheduler: 'sh', bit: 1 },
  'sh-port': { scheduler: 'sh', bit: 2 },
  'mh-fallback': { scheduler: 'mh', bit: 1 },
  'mh-port': { scheduler: 'mh', bit: 2 },
} as const;

const schedulerFlagNames = ['sh-fallback', 'sh-port', 'mh-fallback', 'mh-port'] as const;

/** `weight` is an int in the kernel; beyond this the arithmetic of some schedulers overflows. */
const weightMax = 65_535;

const connectionsMax = 2_147_483_647;

const forwarding = oneOf(['nat', 'dr', 'tunnel'], {
  masquerade: 'must be one of nat, dr, tunnel, got masquerade: write nat',
  masq: 'must be one of nat, dr, tunnel, got masq: write nat',
  tun: 'must be one of nat, dr, tunnel, got tun: write tunnel',
});

const serverType = mappingOf({
  address: required(serverEndpoint, {
    doc: "The server's address and port. Without port: the listener's.",
  }),
  weight: withDefault(integer({ min: 0, max: weightMax, note: '0 takes no new connections' }), 1, {
    doc: 'Share of the new connections, relative to the other servers.',
  }),
  forward: optional(forwarding, {
    doc: 'How packets reach this server.',
    meaning: "the service's `forward`",
  }),
  tunnel: optional(tunnelType, {
    doc: 'How packets to this server are wrapped. Only with forward `tunnel`.',
    meaning: "the service's `tunnel`",
  }),
  upperThreshold: withDefault(integer({ min: 0, max: connectionsMax, note: '0: no limit' }), 0, {
    doc: 'At this many connections the server gets no more.',
  }),
  lowerThreshold: withDefault(
    integer({ min: 0, max: connectionsMax, note: '0: three quarters of the upper one' }),
    0,
    { doc: 'Below this many connections a full server gets new ones again.' },
  ),
});

/** One element of `services`. */
const freshServiceType = mappingOf({
  name: required(partName, { doc: 'Names the service in logs and status. Unique.' }),
  listen: optional(oneOrMany(listener, { max: 64 }), {
    doc:
      'Where clients connect to. Several listeners share the servers and the settings, and each ' +
      'is a service of its own in the kernel. Either this or `fwmark`.',
  }),
  fwmark: optional(integer({ min: 1, max: 4_294_967_295 }), {
    doc:
      'The firewall mark of the packets to balance. Several ports under one mark are one ' +
      'service. Either this or `listen`.',
  }),
  marks: optional(oneOrMany(markTarget, { max: 256 }), {
    doc: 'What gets the mark. Only with `fwmark`.',
    meaning: 'your own rules set the mark',
  }),
  family: optional(oneOf(['ipv4', 'ipv6']), {
    doc: 'Family of the packets that carry the mark. Only with `fwmark`.',
    meaning: 'that of `marks`, else `ipv4`',
  }),
  scheduler: withDefault(oneOf(schedulers), 'wlc', {
    doc: 'How a server is chosen for a new connection: a scheduler of the kernel.',
  }),
  schedulerFlags: withDefault(listOf(oneOf(schedulerFlagNames), { min: 0, max: 3 }), [], {
    doc: 'Flags of the scheduler; `sh-` ones for `sh`, `mh-` ones for `mh`.',
  }),
  forward: required(forwarding, {
    doc:
      'How packets reach the servers: address translation, direct routing (same segment, the ' +
      'virtual address on the servers) or tunnel.',
  }),
  tunnel: optional(tunnelType, {
    doc: 'How packets to the servers behind a tunnel are wrapped. Only with forward `tunnel`.',
    meaning: 'IP in IP',
  }),
  persistence: optional(
    mappingOf({
      timeout: withDefault(duration({ minMs: 1000, maxMs: 744 * 3_600_000, stepMs: 1000 }), '6m', {
        doc: 'How long a client without connections keeps its server.',
      }),
      netmask: optional(netmask, {
        doc: 'IPv4 clients that are equal under this mask count as one.',
        meaning: 'each address is a client',
      }),
      prefixLength: optional(integer({ min: 0, max: 128 }), {
        doc: 'The same as a number of leading bits, for both families.',
        meaning: 'each address is a client',
      }),
      engine: optional(oneOf(['sip']), {
        doc:
          'What tells clients apart beside their address: `sip` keeps the packets of one SIP ' +
          'call on one server, by its Call-ID. For UDP.',
        meaning: 'the address alone',
      }),
    }),
    { doc: 'A client keeps its server.', meaning: 'each connection is scheduled by itself' },
  ),
  onePacket: withDefault(boolean, false, {
    doc: 'Schedules each datagram by itself. Only for UDP listeners and firewall marks.',
  }),
  check: optional(checkType, {
    doc: 'How the servers are checked.',
    meaning: 'the servers are held to be up',
  }),
  checks: optional(listOf(checkType, { min: 1, max: 8 }), {
    doc: 'Several checks of each server, instead of `check`.',
    meaning: 'the one of `check`',
  }),
  checksNeeded: optional(checksNeeded, {
    doc: 'How many of `checks` must pass for a server to be up.',
    meaning: '`all`',
  }),
  health: section('What follows from the checks, beside taking a server out.', serviceHealthKeys),
  whenDown: withDefault(oneOf(['weight-zero', 'remove']), 'weight-zero', {
    doc:
      'What happens to a server that is down. `weight-zero` lets its connections end; `remove` ' +
      'takes it out of the table, which cuts them.',
  }),
  whenAllDown: withDefault(oneOf(['zero', 'keep-last', 'keep-weights', 'sorry-server']), 'zero', {
    doc:
      'What happens when every server is down. `zero`: clients are refused at once. ' +
      '`keep-last`: the last server that was up keeps its weight. `keep-weights`: all keep ' +
      'theirs. `sorry-server`: the `sorryServer` takes the traffic.',
  }),
  sorryServer: optional(serverType, {
    doc: 'Takes the traffic when `whenAllDown` or `health.quorum.whenLost` says so. Not checked.',
    meaning: 'none',
  }),
  servers: required(listOf(serverType, { min: 1, max: 4096 }), { doc: 'The real servers.' }),
});

const readService = rememberedByObject((raw: Readonly<Record<string, unknown>>) =>
  freshServiceType.read(raw),
);

/** A service. One that a reload leaves as it is, is not read again. */
export const serviceType: typeof freshServiceType = {
  ...freshServiceType,
  read: (raw) => (isMapping(raw) ? readService(raw) : freshServiceType.read(raw)),
};
