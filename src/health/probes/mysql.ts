/** The MySQL probe: the server's greeting and, where the check names a user, a login. */
import {
  decodeGreeting,
  decodeReply,
  encodeLogin,
  encodePacket,
  nativePassword,
  packetBytes,
} from '../../wire/mysqlHandshake.js';
import type { ProbeSpecOf } from '../probeSpec.js';
import { converse, exchangeBytesMax, type Peer } from './peer.js';
import { failed, type Probe, passed } from './probe.js';

const quitCommand = 1;

/**
 * Without a login the server counts the connection as interrupted, and may lock this host out
 * after `max_connect_errors` of them; with one it does not.
 */
export const probeMysql: Probe<ProbeSpecOf<'mysql'>> = (target, spec, signal) =>
  converse(target, { origin: spec.origin }, signal, async (peer) => {
    const { payload } = await takePacket(peer, 'the greeting');
    const greeting = decodeGreeting(payload);
    if (greeting === undefined)
      return failed('malformed-response', 'the greeting is none of MySQL');
    if (greeting.kind === 'error') return failed('unexpected-answer', greeting.message);
    const { user, password = '' } = spec;
    if (user === undefined) return passed(`server version ${greeting.version}`);
    const proof = nativePassword(password, greeting.challenge);
    peer.write(encodePacket(1, encodeLogin(user, proof)));
    for (let round = 0; round < 2; round += 1) {
      const { payload: reply, sequence } = await takePacket(peer, 'the answer to the login');
      const answer = decodeReply(reply);
      switch (answer?.kind) {
        case 'ok':
          peer.write(encodePacket(0, Uint8Array.of(quitCommand)));
          return passed(`server version ${greeting.version}, logged in`);
        case 'error':
          return failed('unexpected-answer', answer.message);
        case 'other-method':
          if (answer.method !== 'mysql_native_password') {
            const wanted = `the login of ${user} wants ${answer.method}`;
            return failed('unexpected-answer', `${wanted}, which the probe does not speak`);
          }
          peer.write(encodePacket(sequence + 1, nativePassword(password, answer.challenge)));
          break;
        default:
          return failed('malformed-response', 'the answer to the login is none of MySQL');
      }
    }
    return failed(
      'malformed-response',
      'the server asks for another way to log in again and again',
    );
  });

async function takePacket(peer: Peer, what: string) {
  let tooLong = false;
  const bytes = await peer.take(what, (received) => {
    const length = packetBytes(received);
    tooLong = length !== undefined && length > exchangeBytesMax;
    if (tooLong) return 0;
    return length === undefined || received.length < length ? undefined : length;
  });
  if (tooLong) return peer.end(failed('malformed-response', `${what} is none of MySQL`));
  return { payload: bytes.subarray(4), sequence: bytes[3] ?? 0 };
}
