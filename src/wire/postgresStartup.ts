/** The first messages of PostgreSQL's protocol 3.0 (postgresql.org, Message Formats). */

/** What a server says to a startup message. */
export type PostgresMessage =
  /** Method 0 lets the user in; every other one is a demand. */
  | { readonly kind: 'authentication'; readonly method: number }
  | { readonly kind: 'error'; readonly state: string; readonly text: string }
  /** The session has begun. */
  | { readonly kind: 'ready' }
  /** What a server says of itself before the session begins. */
  | { readonly kind: 'remark' };

/** The method that asks for nothing (AuthenticationOk). */
export const authenticationOk = 0;

const protocolVersion = 0x0003_0000;
const tlsRequestCode = 80_877_103;
const headerBytes = 5;
const authenticationType = 'R';
const errorType = 'E';
const readyType = 'Z';
/** ParameterStatus, BackendKeyData, NoticeResponse, NegotiateProtocolVersion. */
const remarkTypes = 'SKNv';

/** A startup message: length, version, pairs of texts, an empty text. */
export function encodeStartup(parameters: Readonly<Record<string, string>>): Uint8Array {
  const texts = Object.entries(parameters).flat();
  const body = new TextEncoder().encode(`${texts.map((text) => `${text}\0`).join('')}\0`);
  const message = new Uint8Array(8 + body.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length);
  view.setUint32(4, protocolVersion);
  message.set(body, 8);
  return message;
}

/** An SSLRequest: length, and the number that stands in place of a version. */
export function encodeTlsRequest(): Uint8Array {
  const message = new Uint8Array(8);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length);
  view.setUint32(4, tlsRequestCode);
  return message;
}

/** Bytes of the message that these bytes begin; `undefined` while its header is not in. */
export function messageBytes(bytes: Uint8Array): number | undefined {
  if (bytes.length < headerBytes) return undefined;
  return 1 + new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(1);
}

/** One whole message; `undefined` when it is none that may come here. */
export function decodeMessage(bytes: Uint8Array): PostgresMessage | undefined {
  if (messageBytes(bytes) !== bytes.length) return undefined;
  const type = String.fromCharCode(bytes[0] ?? 0);
  if (type === authenticationType) {
    if (bytes.length < headerBytes + 4) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return { kind: 'authentication', method: view.getUint32(headerBytes) };
  }
  if (type === readyType) return bytes.length === headerBytes + 1 ? { kind: 'ready' } : undefined;
  if (type === errorType) return decodeError(bytes.subarray(headerBytes));
  return remarkTypes.includes(type) ? { kind: 'remark' } : undefined;
}

/** Fields of one letter and a text each, up to a zero. */
function decodeError(bytes: Uint8Array): PostgresMessage | undefined {
  const fields = new Map<string, string>();
  for (const field of new TextDecoder().decode(bytes).split('\0')) {
    if (field !== '') fields.set(field.slice(0, 1), field.slice(1));
  }
  const state = fields.get('C');
  if (state === undefined) return undefined;
  return { kind: 'error', state, text: fields.get('M') ?? '' };
}
