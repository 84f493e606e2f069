/** Commands and replies of Redis (RESP2, redis.io/docs/reference/protocol-spec). */

/** What a server answers. */
export type RedisReply =
  | { readonly kind: 'status'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: number }
  /** `null`: there is no such text. */
  | { readonly kind: 'text'; readonly text: string | null }
  /** `null`: there is no such list. */
  | { readonly kind: 'list'; readonly items: readonly RedisReply[] | null };

/** What bytes begin with: a whole reply and its length, the begin of one, or none. */
export type RedisDecoding =
  | { readonly kind: 'reply'; readonly reply: RedisReply; readonly length: number }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed' };

/** Lists in lists that are still read. */
const depthMax = 8;
/** Longer texts and lists belong to no answer to a check. */
const lengthMax = 65_536;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const endOfLine = 2;
const incomplete = { kind: 'incomplete' } as const;
const malformed = { kind: 'malformed' } as const;

/** A command as a list of texts. */
export function encodeCommand(words: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  const texts = words.map((word) => `$${encoder.encode(word).length}\r\n${word}\r\n`);
  return encoder.encode(`*${words.length}\r\n${texts.join('')}`);
}

/** Reads the reply that the bytes begin with. */
export function decodeReply(bytes: Uint8Array): RedisDecoding {
  return decodeAt(bytes, 0, 0);
}

function decodeAt(bytes: Uint8Array, at: number, depth: number): RedisDecoding {
  if (bytes.length <= at) return incomplete;
  const type = String.fromCharCode(bytes[at] ?? 0);
  if (!'+-:$*'.includes(type) || depth > depthMax) return malformed;
  const lineEnd = bytes.indexOf(lineFeed, at);
  if (lineEnd < 0) return bytes.length - at > lengthMax ? malformed : incomplete;
  if (lineEnd === at || bytes[lineEnd - 1] !== carriageReturn) return malformed;
  const line = textOf(bytes.subarray(at + 1, lineEnd - 1));
  const next = lineEnd + 1;
  if (type === '+') return whole({ kind: 'status', text: line }, next - at);
  if (type === '-') return whole({ kind: 'error', text: line }, next - at);
  const value = numberOf(line);
  if (value === undefined) return malformed;
  if (type === ':') return whole({ kind: 'integer', value }, next - at);
  if (value < -1 || value > lengthMax) return malformed;
  return type === '$'
    ? decodeText(bytes, at, next, value)
    : decodeList(bytes, { at, next, count: value, depth });
}

function decodeText(bytes: Uint8Array, at: number, next: number, length: number): RedisDecoding {
  if (length < 0) return whole({ kind: 'text', text: null }, next - at);
  const end = next + length;
  if (bytes.length > end && bytes[end] !== carriageReturn) return malformed;
  if (bytes.length < end + endOfLine) return incomplete;
  if (bytes[end + 1] !== lineFeed) return malformed;
  return whole({ kind: 'text', text: textOf(bytes.subarray(next, end)) }, end + endOfLine - at);
}

function decodeList(
  bytes: Uint8Array,
  list: {
    readonly at: number;
    readonly next: number;
    readonly count: number;
    readonly depth: number;
  },
): RedisDecoding {
  const { at, count, depth } = list;
  let { next } = list;
  if (count < 0) return whole({ kind: 'list', items: null }, next - at);
  const items: RedisReply[] = [];
  while (items.length < count) {
    const item = decodeAt(bytes, next, depth + 1);
    if (item.kind !== 'reply') return item;
    items.push(item.reply);
    next += item.length;
  }
  return whole({ kind: 'list', items }, next - at);
}

function whole(reply: RedisReply, length: number): RedisDecoding {
  return { kind: 'reply', reply, length };
}

function numberOf(text: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
