/** Keys of the file itself. */
import { listOf, mapOf, perNode } from './containerTypes.js';
import {
  type CompleteOf,
  type DraftOf,
  optional,
  type Reading,
  required,
  section,
  withDefault,
} from './definition.js';
import { readMapping } from './mappingReader.js';
import { interfaceName, multicastGroup } from './networkTypes.js';
import { nodeType, partName, syncGroupType, virtualRouterType } from './routerDefinition.js';
import { duration, integer, oneOf, text } from './scalarTypes.js';
import { serviceType } from './serviceDefinition.js';

const notYet = 'is not available in this version';

/** A Unix socket's path has 108 bytes in the kernel, with the NUL that ends it. */
const socketPath = text({
  description: 'absolute path, at most 107 characters',
  pattern: /^\/[!-~]{1,106}$/,
  expected: 'an absolute path of at most 107 characters without spaces',
});

/** The whole file. */
export const rootDefinition = {
  cluster: required(partName, {
    doc: 'Names the pair of directors: in logs, metrics and status. The same on every node.',
  }),
  nodes: required(mapOf(partName, nodeType, { min: 1 }), {
    doc:
      'The directors by name. A node finds itself by `--node`, by `TANDEM_NODE` or by its ' +
      'hostname, with or without its domain.',
  }),
  virtualRouters: withDefault(listOf(virtualRouterType, { min: 0, max: 255 }), [], {
    doc: 'What the directors elect an Active for: groups of virtual addresses (VRRP).',
  }),
  syncGroups: withDefault(listOf(syncGroupType, { min: 0, max: 255 }), [], {
    doc: 'Virtual routers that change state together.',
  }),
  services: withDefault(listOf(serviceType, { min: 0, max: 4096 }), [], {
    doc: 'What is balanced, and to whom (IPVS).',
  }),
  ipvs: section("How the kernel's table is kept.", {
    onStop: withDefault(oneOf(['keep', 'remove']), 'keep', {
      env: 'TANDEM_IPVS_ON_STOP',
      doc: 'Whether a stopped agent leaves its services in the kernel or takes them out.',
    }),
    auditInterval: withDefault(duration({ minMs: 1000, maxMs: 3_600_000 }), '30s', {
      env: 'TANDEM_IPVS_AUDIT_INTERVAL',
      doc: "How often the kernel's table is compared with what it shall be, and put right.",
    }),
  }),
  connectionSync: section('How the connection table reaches the other director.', {
    mode: withDefault(
      oneOf(['kernel', 'off'], { relay: `relay ${notYet}; use kernel or off` }),
      'off',
      {
        env: 'TANDEM_CONNECTION_SYNC_MODE',
        doc:
          "`kernel` starts the kernel's own daemons, which multicast in clear text and without " +
          'authentication: use a network of their own.',
      },
    ),
    interface: optional(perNode(interfaceName), {
      doc: 'The interface of the multicast.',
      meaning: "the node's interface",
    }),
    syncId: withDefault(integer({ min: 0, max: 255, note: '0 takes every id' }), 0, {
      doc: 'Keeps pairs on the same network apart. The same on both directors.',
    }),
    group: optional(multicastGroup, { doc: 'The multicast group.', meaning: '224.0.0.81' }),
    port: optional(integer({ min: 1, max: 65_535 }), { doc: 'The UDP port.', meaning: '8848' }),
    ttl: optional(integer({ min: 1, max: 255 }), {
      doc: 'How many routers the multicast may pass.',
      meaning: '1',
    }),
    maxLength: optional(integer({ min: 44, max: 9188 }), {
      doc:
        'Largest sync message in bytes. Above 9188 the entry counter of the protocol wraps, so ' +
        'more is refused.',
      meaning: "the kernel's choice, 1472 on Ethernet",
    }),
  }),
  api: section('Where the agent answers `tandem status` and the others.', {
    socket: withDefault(socketPath, '/run/tandem/tandem.sock', {
      env: 'TANDEM_API_SOCKET',
      doc: 'Path of the Unix socket.',
    }),
  }),
  log: section('What is written to the log.', {
    level: withDefault(oneOf(['error', 'warn', 'info', 'debug']), 'info', {
      env: 'TANDEM_LOG_LEVEL',
      doc: 'The least severe level that is written.',
    }),
  }),
} as const;

/** Keys that other versions have. */
const explained = {
  peering: `peering ${notYet}; the pair works as plain VRRP and kernel sync`,
};

/** The file as read; what is wrong is `undefined`. */
export type RootDraft = DraftOf<typeof rootDefinition>;

/** The file without errors. */
export type RootComplete = CompleteOf<typeof rootDefinition>;

/** Reads the plain value of a whole file. */
export function readRoot(
  raw: unknown,
  env: Readonly<Record<string, string | undefined>>,
): Reading<RootDraft> {
  return readMapping(rootDefinition, raw, { env, explained });
}
