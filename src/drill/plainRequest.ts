/**
 * One HTTP request on a connection of its own, by hand: the prober sends up to a thousand a second
 * from one thread, and must not spend its time in an HTTP client.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { nowUs } from '../kernel/monotonicClock.js';
import type { IpAddress } from '../wire/ipAddress.js';
import type { RequestFailure, RequestRecord } from './loadProtocol.js';
import { serverNameHeader } from './realServerProtocol.js';

/** Where to, and from which address. */
export interface RequestTarget {
  readonly address: IpAddress;
  readonly port: number;
  readonly localAddress: IpAddress;
  /** Whether to speak HTTPS; the certificate is not looked at. */
  readonly tls?: true;
}

/** An answer is a status line, a few headers and a name. */
const answerCharactersMax = 4096;

/** A request under way. */
export interface PlainRequest {
  readonly sentUs: number;
  /** Ends it with `timeout`, unless it has ended. */
  expire(): void;
}

/** Sends a request; `done` is called exactly once. */
export function sendPlainRequest(
  target: RequestTarget,
  done: (record: RequestRecord) => void,
): PlainRequest {
  const sentUs = nowUs();
  let ended = false;
  const end = (result: RequestRecord['result']): void => {
    if (ended) return;
    ended = true;
    socket.destroy();
    done({ sentUs, endedUs: nowUs(), result });
  };
  const { address: host, port, localAddress } = target;
  const options = { host, port, localAddress, noDelay: true };
  const socket: Socket =
    target.tls === true ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options);
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    answer = (answer + chunk).slice(0, answerCharactersMax);
  });
  // The server closes first: then the connection's waiting time is on its side, and this side
  // does not run out of ports.
  socket.on('end', () => end(parseAnswer(answer)));
  socket.on('error', (error) => end({ failure: failureOf(error) }));
  socket.on('close', () => end({ failure: 'malformed' }));
  socket.write('GET / HTTP/1.0\r\n\r\n');
  return { sentUs, expire: () => end({ failure: 'timeout' }) };
}

/** Reads the status and the server's name out of an answer. */
export function parseAnswer(answer: string): RequestRecord['result'] {
  const status = /^HTTP\/1\.[01] (\d{3}) /.exec(answer)?.[1];
  const server = new RegExp(`^${serverNameHeader}: *(\\S+)\\r$`, 'im').exec(answer)?.[1];
  if (status === undefined || server === undefined || !answer.includes('\r\n\r\n')) {
    return { failure: 'malformed' };
  }
  return status === '200' ? { server } : { failure: 'bad-status' };
}

const failures: Readonly<Record<string, RequestFailure>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ETIMEDOUT: 'timeout',
};

/** The closed word for a socket error. */
export function failureOf(error: Error): RequestFailure {
  const code = (error as { code?: unknown }).code;
  return (typeof code === 'string' ? failures[code] : undefined) ?? 'local';
}
