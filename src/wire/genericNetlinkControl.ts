/** The generic netlink controller as data (`linux/genetlink.h`): it tells a family's number. */
import type { AttributeTable } from './netlinkAttributes.js';

/** The controller's own message type, fixed (GENL_ID_CTRL). */
export const controlFamilyId = 0x10;

/** CTRL_CMD_*. */
export const controlCommands = { newFamily: 1, getFamily: 3 } as const;

/** CTRL_ATTR_*, those that a lookup needs. */
export const controlAttributes = {
  familyId: { id: 1, type: 'u16' },
  familyName: { id: 2, type: 'string' },
  version: { id: 3, type: 'u32' },
} as const satisfies AttributeTable;
