/** Replies of SMTP and FTP: a code of three digits, in one line or several. */

/** What bytes begin with. */
export type CodedDecoding =
  /** A whole reply: its code, its last line without the end, and its length in bytes. */
  | {
      readonly kind: 'reply';
      readonly code: string;
      readonly line: string;
      readonly length: number;
    }
  | { readonly kind: 'incomplete' }
  /** The first line, which no reply begins with. */
  | { readonly kind: 'malformed'; readonly line: string };

/**
 * Reads a reply: all lines but the last have a dash behind their code (RFC 5321, 4.2.1). Inside of
 * a reply of FTP a line may be anything, until one has the same code and no dash (RFC 959, 4.2).
 */
export function decodeCodedReply(bytes: Uint8Array): CodedDecoding {
  let code: string | undefined;
  for (let start = 0; ; ) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0) return { kind: 'incomplete' };
    const line = new TextDecoder('latin1').decode(bytes.subarray(start, end)).replace(/\r$/, '');
    const [, found, dash] = /^(\d{3})(?:(-)|[ ]|$)/.exec(line) ?? [];
    if (found === undefined && code === undefined) return { kind: 'malformed', line };
    code ??= found ?? '';
    if (found === code && dash === undefined) {
      return { kind: 'reply', code, line, length: end + 1 };
    }
    start = end + 1;
  }
}
