/** Requests of many changes, of which most differ in a few bytes from the one before. */
import { familyOf, writeIpBytes } from './ipAddress.js';
import { encodeOperation, type IpvsRequest } from './ipvs.js';
import { commandAttributes, serverAttributes } from './ipvsAttributes.js';
import type { IpvsOperation, IpvsServer } from './ipvsModel.js';
import { payloadOffset } from './netlinkAttributes.js';
import { hostIsLittleEndian } from './netlinkScalars.js';

/** A change that carries all that can be said of a server. */
type ServerChange = Extract<IpvsOperation, { readonly kind: 'add-server' | 'edit-server' }>;

const portMax = 0xffff;
const weightMax = 0x7fff_ffff;

/**
 * Encodes changes one after the other. The servers of a service are mostly alike but for address,
 * port and weight: such a request is the one before it with these written over where it is sent.
 * That is a tenth of the work, and a table is loaded with ten thousand of them.
 */
export class OperationEncoder {
  #last: ServerChange | undefined;
  #template: ServerTemplate | undefined;

  /** As {@link encodeOperation}. */
  encode(operation: IpvsOperation): IpvsRequest {
    if (operation.kind !== 'add-server' && operation.kind !== 'edit-server') {
      return encodeOperation(operation);
    }
    if (this.#template !== undefined && isLike(this.#last, operation)) {
      return new AlikeRequest(this.#template, operation.server);
    }
    const request = encodeOperation(operation);
    this.#last = operation;
    this.#template = {
      request,
      addressAt: placeOf(request, 'address'),
      portAt: placeOf(request, 'port'),
      weightAt: placeOf(request, 'weight'),
    };
    return request;
  }
}

/** A request, and where in its payload is what others differ in. */
interface ServerTemplate {
  readonly request: IpvsRequest;
  readonly addressAt: number;
  readonly portAt: number;
  readonly weightAt: number;
}

/** A request that differs from another in address, port and weight of the server. */
class AlikeRequest implements IpvsRequest {
  readonly command: number;
  readonly payload: Uint8Array;
  readonly dump = false;
  readonly #template: ServerTemplate;
  readonly #server: IpvsServer;

  constructor(template: ServerTemplate, server: IpvsServer) {
    this.command = template.request.command;
    this.payload = template.request.payload;
    this.#template = template;
    this.#server = server;
  }

  overwrite(target: Uint8Array, at: number): void {
    const { addressAt, portAt, weightAt } = this.#template;
    const { address, port, weight } = this.#server;
    writeIpBytes(address, target, at + addressAt);
    target[at + portAt] = port >>> 8;
    target[at + portAt + 1] = port & 0xff;
    for (let byte = 0; byte < 4; byte += 1) {
      const shift = hostIsLittleEndian ? byte * 8 : 24 - byte * 8;
      target[at + weightAt + byte] = (weight >>> shift) & 0xff;
    }
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
