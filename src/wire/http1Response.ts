/**
 * Answers of HTTP/1.1 (RFC 9112), read from a stream of bytes in whatever pieces it gives them.
 *
 * It is strict where two readers could see two different answers: two lengths that contradict each
 * other, a length beside chunks, a bare CR. A lone LF ends a line as well (RFC 9112, 2.2), and a
 * folded field is one field (5.2).
 */

/** Bytes of a header, with the interim answers before it and the trailer behind the body. */
export const headerBytesMax = 16_384;

/** What a line of a chunk's size may have before it counts as header: digits and an extension. */
const chunkLineBytesFree = 32;

/** Hexadecimal digits of the largest chunk that a number can hold exactly. */
const chunkDigitsMax = 13;

/** Decimal digits of the greatest length that a number can hold exactly. */
const lengthDigitsMax = 15;

/** How much of a line that is none is told. */
const snippetLength = 60;

const lineFeed = 0x0a;

/** What an answer begins with. */
export interface Http1Head {
  readonly status: number;
  /** Version, status and reason, as the server wrote them. */
  readonly statusLine: string;
  /** Values by name in lower case; those of one name in their order. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** The length of the body, where it is declared and there is a body. */
  readonly contentLength: number | undefined;
}

/** Who is told of an answer. */
export interface Http1Reader {
  /** Says whether the body is wanted. */
  readonly head: (head: Http1Head) => boolean;
  /** A part of the body. The bytes are those that were given to the parser. */
  readonly body: (bytes: Uint8Array) => void;
}

/** Why bytes are no answer. `text` is for a person, and may hold bytes of the server as Latin-1. */
export interface Http1Fault {
  readonly kind: 'malformed' | 'too-large' | 'truncated';
  readonly text: string;
}

/** How far an answer has come; `done`: it is whole, or its body is not wanted. */
export type Http1Progress = 'more' | 'done' | Http1Fault;

/** What is read next. */
type Stage =
  | 'status-line'
  | 'field-line'
  | 'sized-body'
  | 'endless-body'
  | 'chunk-size'
  | 'chunk-data'
  | 'chunk-end'
  | 'trailer';

const stagesOfBody: readonly Stage[] = ['sized-body', 'endless-body', 'chunk-data'];

/** Reads one answer. */
export class Http1ResponseParser {
  readonly #reader: Http1Reader;
  readonly #answersHead: boolean;
  #stage: Stage = 'status-line';
  #progress: Http1Progress = 'more';
  /** The beginning of a line that has not ended, as Latin-1. */
  #line = '';
  #headerBytes = 0;
  #status = 0;
  #statusLine = '';
  #fields = new Map<string, string[]>();
  #lastField: string[] | undefined;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;

  /** @param method of the request: an answer to HEAD has no body, whatever it declares */
  constructor(method: string, reader: Http1Reader) {
    this.#answersHead = method === 'HEAD';
    this.#reader = reader;
  }

  /** The head, as soon as it is there. */
  get statusLine(): string | undefined {
    return stagesOfHeader.includes(this.#stage) ? undefined : this.#statusLine;
  }

  /** Takes the next bytes. What comes after the end, or after a fault, changes nothing. */
  take(bytes: Uint8Array): Http1Progress {
    let at = 0;
    while (at < bytes.length && this.#progress === 'more') {
      at = stagesOfBody.includes(this.#stage)
        ? this.#takeBody(bytes, at)
        : this.#takeLine(bytes, at);
    }
    return this.#progress;
  }

  /** The server has ended its side, which ends a body of which nothing else tells the end. */
  end(): Http1Progress {
    if (this.#progress !== 'more') return this.#progress;
    if (this.#stage === 'endless-body') return this.#conclude('done');
    return this.#conclude({
      kind: 'truncated',
      text: stagesOfHeader.includes(this.#stage)
        ? 'the server closed the connection before its header was in'
        : 'the server closed the connection in the body',
    });
  }

  #takeBody(bytes: Uint8Array, from: number): number {
    if (this.#stage === 'endless-body') {
      this.#reader.body(bytes.subarray(from));
      return bytes.length;
    }
    const to = Math.min(bytes.length, from + this.#left);
    this.#left -= to - from;
    this.#reader.body(bytes.subarray(from, to));
    if (this.#left === 0 && this.#stage === 'sized-body') this.#conclude('done');
    else if (this.#left === 0) this.#stage = 'chunk-end';
    return to;
  }

  #takeLine(bytes: Uint8Array, from: number): number {
    const feedAt = bytes.indexOf(lineFeed, from);
    const end = feedAt === -1 ? bytes.length : feedAt;
    // A line that does not end is kept no further than it may go.
    const room = headerBytesMax + chunkLineBytesFree + 1 - this.#headerBytes - this.#line.length;
    this.#line += latin1(bytes, from, Math.min(end, from + Math.max(0, room)));
    const free = this.#stage === 'chunk-size' || this.#stage === 'chunk-end';
    const counted = Math.max(0, this.#line.length - (free ? chunkLineBytesFree : 0));
    if (this.#stage === 'status-line' && !beginsLikeStatusLine(this.#line)) {
      this.#malformed('this is no status line', this.#line.trimEnd());
    } else if (this.#headerBytes + counted > headerBytesMax) {
      const kibibytes = headerBytesMax / 1024;
      this.#conclude({ kind: 'too-large', text: `the header is over ${kibibytes} KiB` });
    } else if (feedAt !== -1) {
      this.#headerBytes += counted;
      const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
      this.#line = '';
      this.#onLine(line);
    }
    return end + 1;
  }

  #onLine(line: string): void {
    switch (this.#stage) {
      case 'status-line':
        this.#onStatusLine(line);
        break;
      case 'field-line':
        if (line === '') this.#onHeaderEnd();
        else this.#onFieldLine(line);
        break;
      case 'chunk-size':
        this.#onChunkSize(line);
        break;
      case 'chunk-end':
        if (line === '') this.#stage = 'chunk-size';
        else this.#malformed('a chunk is longer than its size', line);
        break;
      default:
        // Nobody wants to know of a trailer; it is read to its end like the rest.
        if (line === '') this.#conclude('done');
    }
  }

  #onStatusLine(line: string): void {
    const parts = statusLinePattern.exec(line);
    const status = Number(parts?.[2]);
    if (parts === null) {
      const text = /^HTTP\/\d\.\d /.test(line) ? 'Invalid status' : 'this is no status line';
      this.#malformed(text, line);
    } else if (parts[1] !== '1') {
      this.#malformed('Invalid HTTP version', line);
    } else if (status < 100) {
      this.#malformed('Invalid status', line);
    } else {
      this.#status = status;
      this.#statusLine = line;
      this.#stage = 'field-line';
    }
  }

  #onFieldLine(line: string): void {
    if (!fieldText.test(line)) {
      this.#malformed('Invalid character in the header', line);
    } else if (line.startsWith(' ') || line.startsWith('\t')) {
      const folded = this.#lastField;
      if (folded === undefined) this.#malformed('the header begins with a space', line);
      else folded.push(`${folded.pop() ?? ''} ${trimmed(line)}`);
    } else {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(0, colon));
      if (!token.test(name)) this.#malformed('Invalid name of a header', line);
      else this.#keepField(name.toLowerCase(), trimmed(line.slice(colon + 1)));
    }
  }

  #keepField(name: string, value: string): void {
    const values = this.#fields.get(name);
    if (values === undefined) this.#fields.set(name, [value]);
    else values.push(value);
    this.#lastField = this.#fields.get(name);
  }

  #onHeaderEnd(): void {
    const status = this.#status;
    const fields = this.#fields;
    this.#fields = new Map();
    this.#lastField = undefined;
    // 101 is final: what follows is another protocol (RFC 9110, 15.2.2).
    if (status < 200 && status !== 101) {
      this.#stage = 'status-line';
      return;
    }
    const codings = listOf(fields.get('transfer-encoding'));
    const lengths = new Set(listOf(fields.get('content-length')));
    const [length] = lengths;
    if (lengths.size > 1 || (length !== undefined && !lengthPattern.test(length))) {
      this.#malformed('Content-Length is no one length', [...lengths].join(', '));
      return;
    }
    if (codings.length > 0 && length !== undefined) {
      this.#malformed('Content-Length beside Transfer-Encoding', length);
      return;
    }
    const hasBody = !this.#answersHead && status >= 200 && status !== 204 && status !== 304;
    const contentLength = hasBody && length !== undefined ? Number(length) : undefined;
    this.#left = contentLength ?? 0;
    this.#stage = stageOfBody(codings, contentLength);
    const head = { status, statusLine: this.#statusLine, fields, contentLength };
    const isWhole = !hasBody || contentLength === 0;
    if (!this.#reader.head(head) || isWhole) this.#conclude('done');
  }

  #onChunkSize(line: string): void {
    const digits = chunkSizePattern.exec(line)?.[1];
    if (digits === undefined) {
      this.#malformed('Invalid chunk size', line);
    } else if (digits.length > chunkDigitsMax) {
      this.#conclude({ kind: 'too-large', text: `a chunk of 0x${digits} bytes is declared` });
    } else {
      this.#left = Number.parseInt(digits, 16);
      this.#stage = this.#left === 0 ? 'trailer' : 'chunk-data';
    }
  }

  #malformed(what: string, line: string): void {
    const text = `${what}: "${line.slice(0, snippetLength)}"`;
    this.#conclude({ kind: 'malformed', text });
  }

  #conclude(progress: Http1Progress): Http1Progress {
    this.#progress = progress;
    return progress;
  }
}

const stagesOfHeader: readonly Stage[] = ['status-line', 'field-line'];

/** The reason may be missing, and the space before it as well, which servers leave out. */
const statusLinePattern = /^HTTP\/(\d)\.\d (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const fieldText = /^[\t\x20-\x7e\x80-\xff]*$/;
const token = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
const lengthPattern = new RegExp(`^\\d{1,${lengthDigitsMax}}$`);
const chunkSizePattern = /^0*([\da-fA-F]+)[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

function beginsLikeStatusLine(text: string): boolean {
  const begin = 'HTTP/';
  return text.startsWith(begin.slice(0, text.length));
}

/** How the end of the body is known (RFC 9112, 6.3). */
function stageOfBody(codings: readonly string[], contentLength: number | undefined): Stage {
  if (codings.length > 0) {
    return codings.at(-1)?.toLowerCase() === 'chunked' ? 'chunk-size' : 'endless-body';
  }
  return contentLength === undefined ? 'endless-body' : 'sized-body';
}

/** The members of a field that is a list (RFC 9110, 5.6.1). */
function listOf(values: readonly string[] = []): readonly string[] {
  return values
    .flatMap((value) => value.split(','))
    .map(trimmed)
    .filter((member) => member !== '');
}

/** Without the spaces and tabs around it, and in linear time. */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from += 1;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}
