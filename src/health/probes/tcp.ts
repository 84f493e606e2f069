/** The TCP probe: a server that completes the handshake passes. */
import { connect, type Socket } from 'node:net';
import type { ProbeSpec } from '../probeSpec.js';
import { failed, type Probe, type ProbeOutcome, passed } from './probe.js';
import { outcomeOfSystemError } from './systemErrors.js';

/** The specification of a TCP probe. */
export type TcpProbeSpec = Extract<ProbeSpec, { readonly type: 'tcp' }>;

/**
 * Connects, and resets the connection at once. A reset instead of an orderly end leaves no socket
 * in TIME_WAIT on the director, which would hold a local port for a minute for every probe.
 */
export const probeTcp: Probe<TcpProbeSpec> = (target, _spec, signal) =>
  new Promise((resolve) => {
    const startedMs = performance.now();
    const socket = connect({ host: target.address, port: target.port });
    const settle = (outcome: ProbeOutcome): void => {
      signal.removeEventListener('abort', onDeadline);
      if (socket.connecting || socket.destroyed) socket.destroy();
      else socket.resetAndDestroy();
      resolve(outcome);
    };
    const onDeadline = (): void => {
      settle(failed('timeout', 'the connection was not established in time'));
    };
    // This listener stays, so that an error after the end is not an uncaught one.
    socket.on('error', (error) => settle(outcomeOfSystemError(error)));
    socket.once('connect', () => {
      if (isConnectedToItself(socket)) {
        settle(failed('connection-refused', 'nothing listens: the socket met itself'));
        return;
      }
      settle(passed(`connected in ${(performance.now() - startedMs).toFixed(1)} ms`));
    });
    if (signal.aborted) onDeadline();
    else signal.addEventListener('abort', onDeadline, { once: true });
  });

/**
 * A connection to a local port that nobody listens on succeeds when the kernel happens to pick that
 * very port as the source: TCP's simultaneous open, with itself.
 */
function isConnectedToItself(socket: Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}
