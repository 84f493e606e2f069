/** One datagram to a server, and what comes back: UDP and echo requests. */
import { createSocket, type Socket } from 'node:dgram';
import { openProbeSocket } from '../../kernel/probeSocket.js';
import { familyOf, type IpAddress, ipAddress } from '../../wire/ipAddress.js';
import type { ProbeOrigin } from '../probeSpec.js';
import { failed, type ProbeOutcome, type ProbeTarget } from './probe.js';
import { outcomeOfSystemError, outcomeOfThrown } from './systemErrors.js';

/** What is sent, and who judges what comes. */
export interface DatagramOptions {
  readonly kind: 'datagram' | 'echo';
  readonly origin?: ProbeOrigin | undefined;
  readonly payload: Uint8Array;
  /** The outcome, or `undefined` when the datagram is no answer to ours. */
  readonly onAnswer: (bytes: Buffer) => ProbeOutcome | undefined;
  /** What the deadline means, when nothing has come. */
  readonly onSilence?: () => ProbeOutcome;
}

/** The port is of no account to an echo request, but Node wants one. */
const echoPort = 1;

/** Sends one datagram on a connected socket, which hears of refusals, and this server alone. */
export function exchangeDatagram(
  target: ProbeTarget,
  options: DatagramOptions,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    let socket: Socket | undefined;
    let settled = false;
    const settle = (outcome: ProbeOutcome): void => {
      if (settled) return;
      settled = true;
      signal.removeEventListener('abort', onDeadline);
      socket?.close();
      resolve(outcome);
    };
    const silence = options.onSilence ?? (() => failed('timeout', 'no answer came in time'));
    const onDeadline = (): void => settle(silence());
    try {
      socket = start(target, options, settle);
    } catch (error) {
      settle(outcomeOfThrown(error));
      return;
    }
    if (signal.aborted) onDeadline();
    else signal.addEventListener('abort', onDeadline, { once: true });
  });
}

function start(
  target: ProbeTarget,
  { kind, origin = {}, payload, onAnswer }: DatagramOptions,
  settle: (outcome: ProbeOutcome) => void,
): Socket {
  const { address: peer, port } = target;
  const { source, mark } = origin;
  const needsKernel = kind === 'echo' || mark !== undefined;
  const socketOptions = { peer, ...(source && { source }), ...(mark !== undefined && { mark }) };
  const fd = needsKernel ? openProbeSocket(kind, socketOptions) : undefined;
  const socket = createSocket(familyOf(peer) === 4 ? 'udp4' : 'udp6');
  socket.on('error', (error) => settle(outcomeOfSystemError(error)));
  socket.on('message', (bytes, { address }) => {
    // The kernel hands an echo socket the answers of any host, connected or not.
    if (canonicalAddress(address) !== peer) return;
    const outcome = onAnswer(bytes);
    if (outcome !== undefined) settle(outcome);
  });
  socket.on('connect', () => {
    // An error of sending comes to the listener above as well.
    socket.send(payload, (error) => {
      if (error) settle(outcomeOfSystemError(error));
    });
  });
  const connect = (): void => socket.connect(kind === 'echo' ? echoPort : port, peer);
  if (fd !== undefined) socket.bind({ fd }, connect);
  else if (source !== undefined) socket.bind({ address: source }, connect);
  else connect();
  return socket;
}

/** An address as Node tells it, without the zone of a link-local one. */
function canonicalAddress(text: string): IpAddress {
  return ipAddress(text.replace(/%.*$/, ''));
}
