/** Requests of many changes, of which most differ in a few bytes from the one before. */
import { familyOf, writeIpBytes } from './ipAddress.js';
import { encodeOperation, type IpvsRequest } from './ipvs.js';
import { commandAttributes, serverAttributes } from './ipvsAttributes.js';
import type { IpvsOperation, IpvsServer } from './ipvsModel.js';
import { payloadOffset, pooledCopy } from './netlinkAttributes.js';
import { hostIsLittleEndian } from './netlinkScalars.js';

/** A change that carries all that can be said of a server. */
type ServerChange = Extract<IpvsOperation, { readonly kind: 'add-server' | 'edit-server' }>;

const portMax = 0xffff;
const weightMax = 0x7fff_ffff;

/**
 * Encodes changes one after the other. The servers of a service are mostly alike but for address,
 * port and weight: such a request is a copy of the one before it with these written over. That is
 * a tenth of the work, and a table is loaded with ten thousand of them.
 */
export class OperationEncoder {
  #last: ServerChange | undefined;
  #request: IpvsRequest | undefined;
  #addressAt = 0;
  #portAt = 0;
  #weightAt = 0;

  /** As {@link encodeOperation}. */
  encode(operation: IpvsOperation): IpvsRequest {
    if (operation.kind !== 'add-server' && operation.kind !== 'edit-server') {
      return encodeOperation(operation);
    }
    const last = this.#request;
    if (last !== undefined && isLike(this.#last, operation)) {
      return { ...last, payload: this.#rewritten(last.payload, operation.server) };
    }
    const request = encodeOperation(operation);
    this.#last = operation;
    this.#request = request;
    this.#addressAt = placeOf(request, 'address');
    this.#portAt = placeOf(request, 'port');
    this.#weightAt = placeOf(request, 'weight');
    return request;
  }

  #rewritten(bytes: Uint8Array, { address, port, weight }: IpvsServer): Uint8Array {
    const copy = pooledCopy(bytes);
    writeIpBytes(address, copy, this.#addressAt);
    copy[this.#portAt] = port >>> 8;
    copy[this.#portAt + 1] = port & 0xff;
    for (let byte = 0; byte < 4; byte += 1) {
      const shift = hostIsLittleEndian ? byte * 8 : 24 - byte * 8;
      copy[this.#weightAt + byte] = (weight >>> shift) & 0xff;
    }
    return copy;
  }
}

function placeOf({ payload }: IpvsRequest, attribute: 'address' | 'port' | 'weight'): number {
  return payloadOffset(payload, [commandAttributes.server.id, serverAttributes[attribute].id]);
}

/** Whether requests differ in nothing but address, port and weight, and these are valid. */
function isLike(last: ServerChange | undefined, next: ServerChange): boolean {
  if (last === undefined || last.kind !== next.kind || last.service !== next.service) return false;
  const [left, right] = [last.server, next.server];
  return (
    left.forwarding === right.forwarding &&
    left.upperThreshold === right.upperThreshold &&
    left.lowerThreshold === right.lowerThreshold &&
    left.encapsulation === right.encapsulation &&
    left.unknownAttributes === right.unknownAttributes &&
    familyOf(left.address) === familyOf(right.address) &&
    isWhole(right.port, portMax) &&
    isWhole(right.weight, weightMax)
  );
}

function isWhole(value: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= maximum;
}
