/** The PostgreSQL probe: a session is begun, up to the demand for a password or its begin. */
import {
  authenticationOk,
  decodeMessage,
  encodeStartup,
  encodeTlsRequest,
  messageBytes,
  type PostgresMessage,
} from '../../wire/postgresStartup.js';
import type { ProbeSpecOf } from '../probeSpec.js';
import { converse, exchangeBytesMax, type Peer } from './peer.js';
import { failed, type Probe, type ProbeOutcome, passed } from './probe.js';

/** Terminate, without a body. */
const terminate = Uint8Array.of(0x58, 0, 0, 0, 4);

/** The one byte that answers a request for TLS: `S` or `N`. */
const takesTls = 0x53;
const refusesTls = 0x4e;

/**
 * A server that does not know the user or the database works, and says so in the classes 28 and 3D
 * of SQLSTATE. One that starts, stops or is full does not.
 */
const works = /^(28|3D)/;

/**
 * Passes when the server asks for a password, begins a session, or refuses this user alone. The
 * demand is left unanswered: the server ends then without a word in its log.
 */
export const probePostgres: Probe<ProbeSpecOf<'postgres'>> = (target, spec, signal) =>
  converse(target, { origin: spec.origin }, signal, async (peer) => {
    if (spec.tls !== undefined) {
      peer.write(encodeTlsRequest());
      const answer = await peer.take('the answer to the request for TLS', ({ length }) =>
        length === 0 ? undefined : 1,
      );
      if (answer[0] === refusesTls) return failed('tls-handshake', 'the server does not offer TLS');
      if (answer[0] !== takesTls) return foreign();
      await peer.secure(spec.tls);
    }
    peer.write(encodeStartup({ user: spec.user, database: spec.database }));
    const first = await takeMessage(peer, 'the answer to the startup');
    if (first?.kind === 'error') return refusal(first);
    if (first?.kind !== 'authentication') return foreign();
    if (first.method !== authenticationOk) {
      return passed(`the server asks for authentication ${first.method}`);
    }
    // Whether there is room for the session is said behind the authentication.
    for (;;) {
      const message = await takeMessage(peer, 'the begin of the session');
      switch (message?.kind) {
        case 'remark':
          break;
        case 'ready':
          peer.write(terminate);
          return passed('the session began');
        case 'error':
          return refusal(message);
        default:
          return foreign();
      }
    }
  });

function refusal({ state, text }: Extract<PostgresMessage, { kind: 'error' }>): ProbeOutcome {
  const detail = `${state}: ${text}`;
  return works.test(state) ? passed(detail) : failed('unexpected-answer', detail);
}

function foreign(): ProbeOutcome {
  return failed('malformed-response', 'the answer is none of PostgreSQL');
}

/** The next message; `undefined` when it is none of this protocol. */
async function takeMessage(peer: Peer, what: string): Promise<PostgresMessage | undefined> {
  let malformed = false;
  const bytes = await peer.take(what, (received) => {
    const length = messageBytes(received);
    malformed = length !== undefined && (length < 5 || length > exchangeBytesMax);
    if (malformed) return 0;
    return length === undefined || received.length < length ? undefined : length;
  });
  return malformed ? undefined : decodeMessage(bytes);
}
