/** Keys of `connectionSync`. */
import { perNode } from './containerTypes.js';
import { optional, section, withDefault } from './definition.js';
import { interfaceName, multicastGroup } from './networkTypes.js';
import { duration, integer, oneOf } from './scalarTypes.js';

/** The most ports of a daemon. */
const portsMax = 64;

/** The section. */
export const connectionSyncSection = section(
  'How the connection table reaches the other director.',
  {
    mode: withDefault(oneOf(['relay', 'kernel', 'off']), 'off', {
      env: 'TANDEM_CONNECTION_SYNC_MODE',
      doc:
        '`relay` carries the table over the channel of `peering`: encrypted, complete for a ' +
        "director that joins, and compared. `kernel` starts the kernel's own daemons, which " +
        'multicast in clear text and without authentication: use a network of their own.',
    }),
    interface: optional(perNode(interfaceName), {
      doc: 'The interface of the multicast. `kernel` only; the relay needs `lo` and no other.',
      meaning: "the node's interface",
    }),
    syncId: withDefault(integer({ min: 0, max: 255, note: '0 takes every id' }), 0, {
      doc: 'Keeps pairs on the same network apart. The same on both directors.',
    }),
    group: optional(multicastGroup, { doc: 'The multicast group.', meaning: '224.0.0.81' }),
    port: optional(integer({ min: 1, max: 65_535 }), {
      doc:
        'The UDP port. The relay uses, on `lo`, as many from here as `ports` says for what the ' +
        'kernel tells, and as many after them for what it is told.',
      meaning: '8848',
    }),
    ttl: optional(integer({ min: 1, max: 255 }), {
      doc: 'How many routers the multicast may pass. `kernel` only.',
      meaning: '1',
    }),
    maxLength: optional(integer({ min: 44, max: 9188 }), {
      doc:
        'Largest sync message in bytes. Above 9188 the entry counter of the protocol wraps, so ' +
        'more is refused. `kernel` only.',
      meaning: "the kernel's choice, 1472 on Ethernet",
    }),
    ports: withDefault(integer({ min: 1, max: portsMax, note: 'a power of two' }), 1, {
      doc: 'Threads, and so ports, of each of the two daemons of the kernel. `relay` only.',
    }),
    maxEntries: withDefault(integer({ min: 1_000, max: 16_000_000 }), 1_000_000, {
      doc:
        'Connections and templates that the relay knows at most, at about 60 bytes of memory ' +
        'for IPv4 and 100 for IPv6; more are counted as dropped. `relay` only.',
    }),
    joinWait: withDefault(duration({ minMs: 0, maxMs: 3_600_000 }), '30s', {
      doc:
        'How long a director that joins does not take over from one that works because it has ' +
        'not received the table yet. `relay` only.',
    }),
  },
);
