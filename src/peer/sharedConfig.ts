/** The part of the VRRP configuration that both directors must have alike, with its digest. */
import { createHash } from 'node:crypto';
import { formatDurationMs } from '../config/duration.js';
import type { VirtualRouterSpec } from '../vrrp/protocol.js';
import { formatIpPrefix } from '../wire/ipAddress.js';
import type { PeerRouterConfig } from '../wire/peerMessage.js';
import type { PeerSharedConfig } from './protocol.js';

/**
 * What is compared, by the key of the configuration file, and how it is read to an operator. What
 * may differ between the nodes (priority, interface) is not here, and secrets never are.
 */
const sharedValues: Readonly<Record<string, (spec: VirtualRouterSpec) => string>> = {
  version: (spec) => String(spec.version ?? 3),
  authentication: ({ password, hmac }) => {
    if (hmac !== undefined) return `hmac ${hmac.mode}`;
    return password === undefined ? 'none' : 'password';
  },
  advertInterval: (spec) => formatDurationMs(spec.advertIntervalCs * 10),
  preempt: ({ preempt: { enabled, delayMs } }) => {
    if (!enabled) return 'no';
    return delayMs === 0 ? 'yes' : `yes, after ${formatDurationMs(delayMs)}`;
  },
};

/** Makes the shared part of a configuration, in an order that does not depend on the file's. */
export function sharedConfig(specs: readonly VirtualRouterSpec[]): PeerSharedConfig {
  const routers = specs
    .map(sharedRouterConfig)
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  return { digest: digestOf(routers.map((router) => router.digest)), routers };
}

function sharedRouterConfig(spec: VirtualRouterSpec): PeerRouterConfig {
  const values = Object.fromEntries(
    Object.entries(sharedValues).map(([key, read]) => [key, read(spec)]),
  );
  const addresses = spec.addresses.map(({ prefix }) => formatIpPrefix(prefix)).sort();
  const { name, vrid } = spec;
  const digest = digestOf([name, vrid, Object.entries(values).sort(), addresses]);
  return { name, vrid, digest, values, addresses };
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
