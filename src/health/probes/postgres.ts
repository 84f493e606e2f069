/** The PostgreSQL probe: a session is begun, up to the demand for a password. */
import { decodeFirstMessage, encodeStartup, messageBytes } from '../../wire/postgresStartup.js';
import type { ProbeSpecOf } from '../probeSpec.js';
import { converse, exchangeBytesMax } from './peer.js';
import { failed, type Probe, passed } from './probe.js';

/** Terminate, without a body. */
const terminate = Uint8Array.of(0x58, 0, 0, 0, 4);

/**
 * A server that does not know the user or the database works, and says so in the classes 28 and 3D
 * of SQLSTATE. One that starts, stops or is full does not.
 */
const works = /^(28|3D)/;

/** Passes when the server asks for a password, lets the user in, or refuses this user alone. */
export const probePostgres: Probe<ProbeSpecOf<'postgres'>> = (target, spec, signal) =>
  converse(target, { origin: spec.origin }, signal, async (peer) => {
    peer.write(encodeStartup({ user: spec.user, database: spec.database }));
    let malformed = false;
    const bytes = await peer.take('the answer to the startup', (received) => {
      const length = messageBytes(received);
      malformed = length !== undefined && (length < 5 || length > exchangeBytesMax);
      if (malformed) return 0;
      return length === undefined || received.length < length ? undefined : length;
    });
    const message = malformed ? undefined : decodeFirstMessage(bytes);
    switch (message?.kind) {
      case 'authentication':
        peer.write(terminate);
        return passed(`the server asks for authentication ${message.method}`);
      case 'error':
        return works.test(message.state)
          ? passed(`${message.state}: ${message.text}`)
          : failed('unexpected-answer', `${message.state}: ${message.text}`);
      default:
        return failed('malformed-response', 'the answer is none of PostgreSQL');
    }
  });
