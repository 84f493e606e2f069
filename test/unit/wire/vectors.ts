/** The byte vectors of test/vectors/vrrp.json: whole frames and the messages inside them. */
import { readFileSync } from 'node:fs';

interface Vector {
  readonly name: string;
  /** Ethernet header first; absent where only the message was given. */
  readonly frame?: string;
  readonly message: string;
}

/** Compiled tests are four folders below the repository, whatever the build folder is called. */
const file = new URL('../../../../test/vectors/vrrp.json', import.meta.url);
const vectors: readonly Vector[] = JSON.parse(readFileSync(file, 'utf8'));

/** The bytes of one vector. */
export function vector(name: string): { readonly frame: Buffer; readonly message: Buffer } {
  const found = vectors.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no vector ${name}`);
  return {
    frame: Buffer.from(found.frame ?? '', 'hex'),
    message: Buffer.from(found.message, 'hex'),
  };
}

const ethernetHeaderLength = 14;

/** The IP packet of one vector, as the election's sockets deliver it. */
export function vectorPacket(name: string): Buffer {
  return vector(name).frame.subarray(ethernetHeaderLength);
}
