/**
 * The UDP ports at which the kernel of this namespace takes packets out of GUE tunnels, as
 * `ip fou` shows them. Synchronous, because a socket must be opened while its thread is in the
 * right network namespace.
 */
import { TandemError } from '../errors.js';
import { fouAttributes, fouCommands, fouFamily, fouTypes } from '../wire/fou.js';
import {
  controlAttributes,
  controlCommands,
  controlFamilyId,
} from '../wire/genericNetlinkControl.js';
import type { IpFamily } from '../wire/ipAddress.js';
import { addressFamilies } from '../wire/ipvsAttributes.js';
import { decodeAttributes, encodeAttributes } from '../wire/netlinkAttributes.js';
import { loadModule } from './kernelModules.js';
import { type NetlinkRequest, NetlinkRequester } from './netlinkRequest.js';
import { structLayout } from './structLayout.js';

/** A port, open for packets that come over IPv4 or over IPv6. */
export interface GuePort {
  readonly family: IpFamily;
  /** 1..65535. */
  readonly port: number;
}

/** struct genlmsghdr (genetlink.h). */
const genericHeader = structLayout({ command: 'u8', version: 'u8', reserved: 'u16' });

/** The ports that are open; none where the module `fou` is not loaded. */
export function listGuePorts(): readonly GuePort[] {
  return withRequester((requester) => {
    const familyId = familyIdOf(requester);
    if (familyId === undefined) return [];
    const request = requestOf(familyId, fouCommands.get, {}, 'all ports');
    return requester.dump(request, ({ data }): GuePort | undefined => {
      const values = decodeAttributes(fouAttributes, data.subarray(genericHeader.size));
      if (values.type !== fouTypes.gue || values.port === undefined) return undefined;
      return { family: values.family === addressFamilies[6] ? 6 : 4, port: values.port };
    });
  });
}

/**
 * Opens a port. Throws `PERMISSION`, `SYSTEM_CALL` with EADDRINUSE where something else has it, or
 * with ENOENT where the kernel has no module `fou`.
 */
export function openGuePort(port: GuePort): void {
  change(port, fouCommands.add, 'open');
}

/** Closes a port. Throws as {@link openGuePort}; ENOENT as well when it is not open. */
export function closeGuePort(port: GuePort): void {
  change(port, fouCommands.delete, 'close');
}

function change({ family, port }: GuePort, command: number, verb: string): void {
  loadModule(fouFamily.name);
  withRequester((requester) => {
    const familyId = familyIdOf(requester);
    if (familyId === undefined) throw moduleMissing(port);
    const values = { port, family: addressFamilies[family], type: fouTypes.gue };
    requester.change(requestOf(familyId, command, values, `${verb} UDP port ${port} for GUE`));
  });
}

function moduleMissing(port: number): TandemError {
  return new TandemError(
    'SYSTEM_CALL',
    `the kernel cannot take GUE tunnels in at UDP port ${port}: it has no module fou`,
    {
      errnoName: 'ENOENT',
      hint: '`modprobe fou` tells why; without it, use tunnels of type ipip or gre.',
    },
  );
}

/** `undefined` where the kernel has no such family at present. */
function familyIdOf(requester: NetlinkRequester): number | undefined {
  const attributes = encodeAttributes(controlAttributes, { familyName: fouFamily.name });
  try {
    return requester.query(
      {
        type: controlFamilyId,
        payload: withHeader(controlCommands.getFamily, 1, attributes),
        name: 'CTRL_CMD_GETFAMILY',
        context: fouFamily.name,
      },
      ({ data }) => decodeAttributes(controlAttributes, data.subarray(genericHeader.size)).familyId,
    );
  } catch (error) {
    if (error instanceof TandemError && error.errnoName === 'ENOENT') return undefined;
    throw error;
  }
}

function requestOf(
  type: number,
  command: number,
  values: Parameters<typeof encodeAttributes<typeof fouAttributes>>[1],
  context: string,
): NetlinkRequest {
  const attributes = encodeAttributes(fouAttributes, values);
  const payload = withHeader(command, fouFamily.version, attributes);
  return { type, payload, name: 'fou', context };
}

function withHeader(command: number, version: number, attributes: Uint8Array): Uint8Array {
  return Buffer.concat([genericHeader.encode({ command, version, reserved: 0 }), attributes]);
}

function withRequester<T>(use: (requester: NetlinkRequester) => T): T {
  const requester = new NetlinkRequester('generic');
  try {
    return use(requester);
  } finally {
    requester.close();
  }
}
