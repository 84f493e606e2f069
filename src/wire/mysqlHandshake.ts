/**
 * The first packets of the MySQL client/server protocol (dev.mysql.com, Connection Phase): the
 * greeting, version 10, and a login with `mysql_native_password` or `caching_sha2_password`.
 */
import { createHash } from 'node:crypto';

/** What a server says first. */
export type MysqlGreeting =
  | {
      readonly kind: 'greeting';
      readonly version: string;
      readonly challenge: Uint8Array;
      /** Whether the server can go over to TLS. */
      readonly offersTls: boolean;
    }
  | MysqlError;

/** What a server says to a login. */
export type MysqlReply =
  | { readonly kind: 'ok' }
  | { readonly kind: 'other-method'; readonly method: string; readonly challenge: Uint8Array }
  /** The method of the server has something to say (AuthMoreData). */
  | { readonly kind: 'more'; readonly data: Uint8Array }
  | MysqlError;

/** An error of the server, with its number and state. */
export interface MysqlError {
  readonly kind: 'error';
  readonly message: string;
}

const headerBytes = 4;
const protocolVersion = 10;
const errorMark = 0xff;
const otherMethodMark = 0xfe;
const okMark = 0;
const moreMark = 1;
/** LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH. */
const capabilities = 0x0000_0001 | 0x0000_0200 | 0x0000_8000 | 0x0008_0000;
const oldMethod = 'mysql_old_password';
/** SSL. */
const tlsCapability = 0x0000_0800;
const packetBytesMax = 0x0100_0000;
const charsetUtf8 = 33;
/** Bytes of the challenge before and behind the flags of the server. */
const challengeParts = [8, 12] as const;
/** Between the two: filler, flags, charset, status, length of the challenge, reserved bytes. */
const flagsBytes = 1 + 2 + 1 + 2 + 2 + 1 + 10;

/** Bytes of the packet that these bytes begin; `undefined` while its header is not in. */
export function packetBytes(bytes: Uint8Array): number | undefined {
  if (bytes.length < headerBytes) return undefined;
  const [low = 0, middle = 0, high = 0] = bytes;
  return headerBytes + (low | (middle << 8) | (high << 16));
}

/** A packet: length, sequence number, payload. */
export function encodePacket(sequence: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const header = [length & 0xff, (length >> 8) & 0xff, (length >> 16) & 0xff, sequence & 0xff];
  return Uint8Array.from([...header, ...payload]);
}

/** The payload of the first packet; `undefined` when it is none of this protocol. */
export function decodeGreeting(payload: Uint8Array): MysqlGreeting | undefined {
  if (payload[0] === errorMark) return decodeError(payload);
  if (payload[0] !== protocolVersion) return undefined;
  const versionEnd = payload.indexOf(0, 1);
  if (versionEnd < 0) return undefined;
  const version = latin1(payload.subarray(1, versionEnd));
  const [first, second] = challengeParts;
  const firstAt = versionEnd + 1 + 4;
  const secondAt = firstAt + first + flagsBytes;
  if (payload.length < secondAt + second) return undefined;
  const challenge = Uint8Array.from([
    ...payload.subarray(firstAt, firstAt + first),
    ...payload.subarray(secondAt, secondAt + second),
  ]);
  const flags = (payload[firstAt + first + 1] ?? 0) | ((payload[firstAt + first + 2] ?? 0) << 8);
  return { kind: 'greeting', version, challenge, offersTls: (flags & tlsCapability) !== 0 };
}

/** The payload that asks for TLS (SSLRequest); the login comes inside of it then. */
export function encodeTlsRequest(): Uint8Array {
  return loginNumbers(true);
}

function loginNumbers(isSecure: boolean): Uint8Array {
  const numbers = new Uint8Array(32);
  const view = new DataView(numbers.buffer);
  view.setUint32(0, isSecure ? capabilities | tlsCapability : capabilities, true);
  view.setUint32(4, packetBytesMax, true);
  view.setUint8(8, charsetUtf8);
  return numbers;
}

/** The payload of a login (HandshakeResponse41), which repeats whether it is inside of TLS. */
export function encodeLogin(user: string, proof: Uint8Array, isSecure = false): Uint8Array {
  const numbers = loginNumbers(isSecure);
  const text = new TextEncoder();
  return Uint8Array.from([
    ...numbers,
    ...text.encode(user),
    0,
    proof.length,
    ...proof,
    ...text.encode('mysql_native_password'),
    0,
  ]);
}

/** The payload of the answer to a login. */
export function decodeReply(payload: Uint8Array): MysqlReply | undefined {
  switch (payload[0]) {
    case okMark:
      return payload.length >= 7 ? { kind: 'ok' } : undefined;
    case errorMark:
      return decodeError(payload);
    case moreMark:
      return { kind: 'more', data: payload.slice(1) };
    case otherMethodMark: {
      // Alone it means the method of before 4.1, which needs no challenge of its own.
      if (payload.length === 1) {
        return { kind: 'other-method', method: oldMethod, challenge: new Uint8Array(0) };
      }
      const end = payload.indexOf(0, 1);
      if (end < 0) return undefined;
      const challenge = payload.slice(end + 1, end + 21);
      return { kind: 'other-method', method: latin1(payload.subarray(1, end)), challenge };
    }
    default:
      return undefined;
  }
}

/** SHA1(password) XOR SHA1(challenge, SHA1(SHA1(password))); nothing for no password. */
export function nativePassword(password: string, challenge: Uint8Array): Uint8Array {
  if (password === '') return new Uint8Array(0);
  const once = digest('sha1', password);
  const mask = digest('sha1', challenge, digest('sha1', once));
  return masked(once, mask);
}

/**
 * SHA256(password) XOR SHA256(SHA256(SHA256(password)), challenge): the proof of
 * `caching_sha2_password`; nothing for no password.
 */
export function cachingSha2Password(password: string, challenge: Uint8Array): Uint8Array {
  if (password === '') return new Uint8Array(0);
  const once = digest('sha256', password);
  const mask = digest('sha256', digest('sha256', once), challenge);
  return masked(once, mask);
}

function digest(
  algorithm: 'sha1' | 'sha256',
  ...parts: readonly (string | Uint8Array)[]
): Uint8Array {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function masked(bytes: Uint8Array, mask: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => byte ^ (mask[index] ?? 0));
}

/** Number, then `#` and five letters of state where the protocol is that far, then the text. */
function decodeError(payload: Uint8Array): MysqlError | undefined {
  if (payload.length < 4) return undefined;
  const number = (payload[1] ?? 0) | ((payload[2] ?? 0) << 8);
  const text = latin1(payload.subarray(3)).replace(/^#\w{5}/, '');
  return { kind: 'error', message: `error ${number}: ${text}` };
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}
