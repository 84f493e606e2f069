/** SMTP, IMAP, POP3 and FTP: the greeting, TLS where asked for, and a polite leave. */
import type { MailProbeSpec } from '../probeSpec.js';
import { converse, type Exchange, type Peer, takeLine } from './peer.js';
import { failed, type Probe, type ProbeOutcome, passed } from './probe.js';

/** One line of the script: what is said, and what must come back. */
interface Turn {
  readonly say?: string;
  /** What the last line of the answer must begin with. */
  readonly expect: RegExp;
}

interface Protocol {
  readonly greeting: Turn;
  readonly hello?: (name: string) => Turn;
  readonly startTls: Turn;
  readonly leave: Turn;
  /** Takes one whole answer and gives its last line. */
  readonly answer: (peer: Peer, what: string) => Promise<string>;
}

/** Answers of a line or several, all but the last with a dash (RFC 5321, 4.2.1; RFC 959, 4.2). */
const codedAnswer = async (peer: Peer, what: string): Promise<string> => {
  let code: string | undefined;
  for (;;) {
    const line = await takeLine(peer, what);
    const match = /^(\d{3})([ -]?)/.exec(line);
    // Inside of a long answer of FTP a line may be anything.
    if (match === null && code === undefined) return peer.end(notAnswer(line));
    code ??= match?.[1];
    if (match !== null && match[1] === code && match[2] !== '-') return line;
  }
};

/** Lines without our tag say something else (RFC 3501, 2.2.2). */
const taggedAnswer = async (peer: Peer, what: string): Promise<string> => {
  for (;;) {
    const line = await takeLine(peer, what);
    if (/^(t\d |\* (OK|PREAUTH|BYE) )/.test(line) && !/^\* BYE/.test(line)) return line;
    if (!line.startsWith('* ')) return peer.end(notAnswer(line));
  }
};

const protocols = {
  smtp: {
    greeting: { expect: /^220/ },
    hello: (name) => ({ say: `EHLO ${name}`, expect: /^250/ }),
    startTls: { say: 'STARTTLS', expect: /^220/ },
    leave: { say: 'QUIT', expect: /^221/ },
    answer: codedAnswer,
  },
  ftp: {
    greeting: { expect: /^220/ },
    startTls: { say: 'AUTH TLS', expect: /^234/ },
    leave: { say: 'QUIT', expect: /^221/ },
    answer: codedAnswer,
  },
  imap: {
    greeting: { expect: /^\* (OK|PREAUTH)/ },
    startTls: { say: 't1 STARTTLS', expect: /^t1 OK/ },
    leave: { say: 't2 LOGOUT', expect: /^t2 OK/ },
    answer: taggedAnswer,
  },
  pop3: {
    greeting: { expect: /^\+OK/ },
    startTls: { say: 'STLS', expect: /^\+OK/ },
    leave: { say: 'QUIT', expect: /^\+OK/ },
    answer: takeLine,
  },
} as const satisfies Record<MailProbeSpec['type'], Protocol>;

/** Holds the shortest conversation that the protocol allows. */
export const probeMail: Probe<MailProbeSpec> = (target, spec, signal) => {
  const { origin, encryption, tls } = spec;
  const options = encryption === 'tls' ? { origin, tls } : { origin };
  return converse(target, options, signal, conversation(spec));
};

function conversation(spec: MailProbeSpec): Exchange {
  const protocol: Protocol = protocols[spec.type];
  return async (peer) => {
    const turn = async ({ say, expect }: Turn): Promise<string> => {
      if (say !== undefined) peer.write(`${say}\r\n`);
      const what = say === undefined ? 'the greeting' : `the answer to ${say}`;
      const line = await protocol.answer(peer, what);
      if (expect.test(line)) return line;
      return peer.end(failed('unexpected-answer', `${what} was "${line}"`));
    };
    const hello = protocol.hello?.(spec.helloName ?? 'tandem.invalid');
    const greeting = await turn(protocol.greeting);
    if (hello !== undefined) await turn(hello);
    if (spec.encryption === 'starttls' && spec.tls !== undefined) {
      await turn(protocol.startTls);
      await peer.secure(spec.tls);
      if (hello !== undefined) await turn(hello);
    }
    await turn(protocol.leave);
    return passed(greeting);
  };
}

function notAnswer(line: string): ProbeOutcome {
  return failed('malformed-response', `"${line}" is no answer of this protocol`);
}
