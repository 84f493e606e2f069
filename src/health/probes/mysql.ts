/** The MySQL probe: the server's greeting and, where the check names a user, a login. */
import {
  cachingSha2Password,
  decodeGreeting,
  decodeReply,
  encodeLogin,
  encodePacket,
  encodeTlsRequest,
  type MysqlGreeting,
  nativePassword,
  packetBytes,
} from '../../wire/mysqlHandshake.js';
import type { ProbeSpecOf } from '../probeSpec.js';
import { converse, exchangeBytesMax, type Peer } from './peer.js';
import { failed, type Probe, type ProbeOutcome, passed } from './probe.js';

const quitCommand = 1;

/** More packets than this a login does not take. */
const loginPacketsMax = 4;

/** What `caching_sha2_password` says: that the proof will do, or that it wants the password. */
const proofWillDo = 3;
const wantsPassword = 4;

/** How a password is proved, by the names that servers have for the methods. */
const proofs: ReadonlyMap<string, (password: string, challenge: Uint8Array) => Uint8Array> =
  new Map([
    ['mysql_native_password', nativePassword],
    ['caching_sha2_password', cachingSha2Password],
  ]);

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
    const { user, tls } = spec;
    if (tls !== undefined) {
      if (!greeting.offersTls) return failed('tls-handshake', 'the server does not offer TLS');
      peer.write(encodePacket(1, encodeTlsRequest()));
      await peer.secure(tls);
    }
    if (user === undefined) return passed(`server version ${greeting.version}`);
    return logIn(peer, { ...spec, user }, greeting);
  });

async function logIn(
  peer: Peer,
  { user, password = '', tls }: ProbeSpecOf<'mysql'> & { readonly user: string },
  { version, challenge }: Extract<MysqlGreeting, { kind: 'greeting' }>,
): Promise<ProbeOutcome> {
  const isSecure = tls !== undefined;
  const login = encodeLogin(user, nativePassword(password, challenge), isSecure);
  peer.write(encodePacket(isSecure ? 2 : 1, login));
  for (let round = 0; round < loginPacketsMax; round += 1) {
    const { payload, sequence } = await takePacket(peer, 'the answer to the login');
    const answer = decodeReply(payload);
    switch (answer?.kind) {
      case 'ok':
        peer.write(encodePacket(0, Uint8Array.of(quitCommand)));
        return passed(`server version ${version}, logged in`);
      case 'error':
        return failed('unexpected-answer', answer.message);
      case 'other-method': {
        const prove = proofs.get(answer.method);
        if (prove === undefined) {
          const wanted = `the login of ${user} wants ${answer.method}`;
          return failed('unexpected-answer', `${wanted}, which the probe does not speak`);
        }
        peer.write(encodePacket(sequence + 1, prove(password, answer.challenge)));
        break;
      }
      case 'more':
        if (answer.data[0] === proofWillDo) break;
        if (answer.data[0] !== wantsPassword) return foreignAnswer();
        // Whoever listens would have the password: only TLS may carry it.
        if (!isSecure) {
          const wanted = `the server wants the password of ${user} itself`;
          return failed('unexpected-answer', `${wanted}, which is sent inside of \`tls\` only`);
        }
        peer.write(encodePacket(sequence + 1, Buffer.from(`${password}\0`)));
        break;
      default:
        return foreignAnswer();
    }
  }
  return failed('malformed-response', 'the server has more to ask than a login takes');
}

function foreignAnswer(): ProbeOutcome {
  return failed('malformed-response', 'the answer to the login is none of MySQL');
}

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
