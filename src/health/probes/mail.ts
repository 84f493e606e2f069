/** SMTP, IMAP, POP3 and FTP: the greeting, TLS where asked for, and a polite leave. */
import { decodeCodedReply } from '../../wire/codedReply.js';
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
  readonly answer: AnswerReader;
}

/** Takes one whole answer to what was said, or a greeting, and gives its last line. */
type AnswerReader = (peer: Peer, what: string, said: string | undefined) => Promise<string>;

/** Answers of a line or several. */
const codedAnswer: AnswerReader = async (peer, what) => {
  const bytes = await peer.take(what, (received) => {
    const decoding = decodeCodedReply(received);
    if (decoding.kind === 'incomplete') return undefined;
    return decoding.kind === 'reply' ? decoding.length : received.length;
  });
  const decoding = decodeCodedReply(bytes);
  if (decoding.kind === 'reply') return decoding.line;
  return peer.end(notAnswer(decoding.kind === 'malformed' ? decoding.line : ''));
};

/** Lines without our tag say something else (RFC 3501, 2.2.2); a greeting has none. */
const taggedAnswer: AnswerReader = async (peer, what, said) => {
  const tag = said?.slice(0, said.indexOf(' '));
  for (;;) {
    const line = await takeLine(peer, what);
    const isRemark = line.startsWith('* ');
    if (tag === undefined ? isRemark : line.startsWith(`${tag} `)) return line;
    if (tag === undefined || !isRemark) return peer.end(notAnswer(line));
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
      const line = await protocol.answer(peer, what, say);
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
