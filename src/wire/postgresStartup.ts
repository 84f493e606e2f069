/** The first messages of PostgreSQL's protocol 3.0 (postgresql.org, Message Formats). */

/** What a server says to a startup message. */
export type PostgresFirstMessage =
  | { readonly kind: 'authentication'; readonly method: number }
  | { readonly kind: 'error'; readonly state: string; readonly text: string };

const protocolVersion = 0x0003_0000;
const authenticationType = 'R'.charCodeAt(0);
const errorType = 'E'.charCodeAt(0);

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

/** Bytes of the message that these bytes begin; `undefined` while its header is not in. */
export function messageBytes(bytes: Uint8Array): number | undefined {
  if (bytes.length < 5) return undefined;
  return 1 + new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(1);
}

/** One whole message; `undefined` when it is neither of the two. */
export function decodeFirstMessage(bytes: Uint8Array): PostgresFirstMessage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes[0] === authenticationType && bytes.length >= 9) {
    return { kind: 'authentication', method: view.getUint32(5) };
  }
  if (bytes[0] !== errorType) return undefined;
  // Fields of one letter and a text each, up to a zero.
  const fields = new Map<string, string>();
  for (const field of new TextDecoder().decode(bytes.subarray(5)).split('\0')) {
    if (field !== '') fields.set(field.slice(0, 1), field.slice(1));
  }
  const state = fields.get('C');
  if (state === undefined) return undefined;
  return { kind: 'error', state, text: fields.get('M') ?? '' };
}
