/** Requests of HTTP/1.1 as a client writes them (RFC 9112, 3). */
import { WireError } from './wireError.js';

/** A request that is the only one of its connection. */
export interface Http1Request {
  readonly method: string;
  /** The path, with its query. */
  readonly path: string;
  /** Value of the Host header. */
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Methods whose request says how long its body is even when there is none (RFC 9110, 8.6). */
const methodsWithBody: readonly string[] = ['POST', 'PUT'];

const token = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
const visible = /^[\x21-\x7e\x80-\xff]+$/;
const fieldText = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Writes a request. Throws `WireError` where a part could be taken for more than it is: a space in
 * the path, or a line break anywhere.
 */
export function encodeHttp1Request({ method, path, host, headers, body }: Http1Request): Buffer {
  const hasBody = body !== undefined || methodsWithBody.includes(method);
  const fields: readonly (readonly [string, string])[] = [
    ['host', host],
    ...Object.entries(headers),
    ...(hasBody ? [['content-length', String(Buffer.byteLength(body ?? ''))] as const] : []),
    ['connection', 'close'],
  ];
  demand(token.test(method) && visible.test(path), `${method} ${path} is no request`);
  for (const [name, value] of fields) {
    demand(token.test(name) && fieldText.test(value), `${name} is no header`);
  }
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const header = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`, 'latin1');
  return body === undefined ? header : Buffer.concat([header, Buffer.from(body)]);
}

function demand(holds: boolean, message: string): void {
  if (!holds) throw new WireError('bad-value', message);
}
