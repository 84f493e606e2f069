/** The byte vectors of test/vectors/bfd.json: whole frames and the control packets inside them. */
import { readFileSync } from 'node:fs';

interface Vector {
  readonly name: string;
  /** Ethernet header first. */
  readonly frame: string;
  readonly message: string;
}

/** Compiled tests are four folders below the repository, whatever the build folder is called. */
const file = new URL('../../../../test/vectors/bfd.json', import.meta.url);
const vectors: readonly Vector[] = JSON.parse(readFileSync(file, 'utf8'));

/** Names of all vectors. */
export const bfdVectorNames = vectors.map(({ name }) => name);

/** The UDP payload of one vector. */
export function bfdVector(name: string): Buffer {
  const found = vectors.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no vector ${name}`);
  return Buffer.from(found.message, 'hex');
}

/** The key of the authenticated vector. */
export const vectorKey = {
  type: 'meticulous-sha1',
  keyId: 1,
  key: Buffer.from('bfd-secret'),
} as const;
