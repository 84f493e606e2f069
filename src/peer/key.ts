/** Pre-shared keys of the peer channel: making one, and reading the file that holds them. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { TandemError } from '../errors.js';
import type { PeerKey } from './protocol.js';

/** Bytes of a key. */
export const peerKeyBytes = 32;

/** Keys in one file; a rotation needs two. */
export const peerKeysMax = 8;

/** A key file is a few lines; more is another file. */
const keyFileBytesMax = 4_096;

/** The id of a key that stands alone on its line. */
const plainKeyId = 'default';

/** Permissions of a key file: its owner reads and writes it, nobody else does anything. */
const keyFileMode = 0o600;

const othersMask = 0o077;

/** A line of a key file with a new key; with an id when one is given. */
export function newPeerKeyLine(id?: string): string {
  if (id !== undefined && !isKeyId(id)) {
    throw new TandemError('USAGE', `not a key id: ${JSON.stringify(id.slice(0, 40))}`, {
      hint: 'An id has 1 to 32 letters, digits, dots, dashes and underscores.',
    });
  }
  const hex = randomBytes(peerKeyBytes).toString('hex');
  return id === undefined ? hex : `${id}:${hex}`;
}

/** Writes a new key file that only its owner can read. Throws when the file exists. */
export function writePeerKeyFile(path: string, line: string): void {
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  let file: number;
  try {
    file = openSync(path, O_CREAT | O_EXCL | O_WRONLY, keyFileMode);
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw unusable(path, exists ? 'exists already' : systemReason(cause), {
      cause,
      hint: exists
        ? 'A key that is in use must not be lost: move the file away first, or name another.'
        : 'Check that the directory exists and is writable.',
    });
  }
  try {
    writeSync(file, `${line}\n`);
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a key file. Throws `PEER_KEY_UNUSABLE` when it cannot be read, when others could read it,
 * or when a line is no key. No message ever repeats what is in the file.
 */
export function readPeerKeys(path: string): readonly PeerKey[] {
  let file: number;
  try {
    // Not blocking, so that a pipe in its place cannot hold up the agent.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw unusable(path, systemReason(cause), { cause });
  }
  try {
    requirePrivate(path, file);
    const bytes = Buffer.alloc(keyFileBytesMax + 1);
    const length = readSync(file, bytes);
    if (length > keyFileBytesMax) throw unusable(path, `is longer than ${keyFileBytesMax} bytes`);
    return parsePeerKeys(bytes.toString('latin1', 0, length), path);
  } finally {
    closeSync(file);
  }
}

/** Reads the lines of a key file; `path` is for the messages. */
export function parsePeerKeys(text: string, path: string): readonly PeerKey[] {
  const keys: PeerKey[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const where = `line ${index + 1}`;
    const colon = line.indexOf(':');
    const id = colon < 0 ? plainKeyId : line.slice(0, colon);
    const hex = line.slice(colon + 1).toLowerCase();
    if (!isKeyId(id)) throw unusable(path, `${where}: the id before the colon is not one`);
    if (!/^[0-9a-f]*$/.test(hex)) throw unusable(path, `${where}: the key is not hexadecimal`);
    if (hex.length !== peerKeyBytes * 2) {
      const wanted = `${peerKeyBytes * 2} hexadecimal digits`;
      throw unusable(path, `${where}: the key has ${hex.length} digits and not ${wanted}`);
    }
    if (keys.some((key) => key.id === id)) {
      throw unusable(path, `${where}: the id ${id} is there already`, {
        hint: 'Give each key an id of its own: `id:key`.',
      });
    }
    keys.push({ id, hex });
  }
  if (keys.length === 0) throw unusable(path, 'has no key');
  if (keys.length > peerKeysMax) {
    throw unusable(path, `has ${keys.length} keys where ${peerKeysMax} are the most`);
  }
  return keys;
}

function requirePrivate(path: string, file: number): void {
  const { mode, uid } = fstatSync(file);
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw unusable(path, 'is not a plain file');
  const own = process.getuid?.() ?? 0;
  if (uid !== 0 && uid !== own) {
    throw unusable(path, `belongs to user ${uid}, who could change it`, {
      hint: `Run \`chown root ${path}\`.`,
    });
  }
  if ((mode & othersMask) !== 0) {
    const bits = (mode & 0o777).toString(8).padStart(4, '0');
    throw unusable(path, `is open to others (mode ${bits})`, {
      hint: `Run \`chmod 0600 ${path}\`; if others may have read it, make a new key.`,
    });
  }
}

function isKeyId(id: string): boolean {
  return /^[A-Za-z0-9._-]{1,32}$/.test(id);
}

function unusable(
  path: string,
  what: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): TandemError {
  return new TandemError('PEER_KEY_UNUSABLE', `the key file ${path} ${what}`, options);
}

function systemReason(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return `cannot be opened (${code})`;
}
