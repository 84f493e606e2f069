/**
 * The ports at which the kernel takes packets out of UDP, as data (`linux/fou.h`). A real server
 * behind a GUE tunnel needs one.
 */
import type { AttributeTable } from './netlinkAttributes.js';

/** The generic netlink family; asking for its number does not load the module `fou`. */
export const fouFamily = { name: 'fou', version: 1 } as const;

/** FOU_CMD_*. */
export const fouCommands = { add: 1, delete: 2, get: 3 } as const;

/** FOU_ATTR_*, those that name a port. */
export const fouAttributes = {
  port: { id: 1, type: 'u16be' },
  /** AF_INET or AF_INET6. */
  family: { id: 2, type: 'u8' },
  type: { id: 4, type: 'u8' },
} as const satisfies AttributeTable;

/** FOU_ENCAP_*: what follows the UDP header. */
export const fouTypes = { direct: 1, gue: 2 } as const;
