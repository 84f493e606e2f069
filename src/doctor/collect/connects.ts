/** Connects to the ports of real servers, and closes at once. */
import { connect } from 'node:net';
import type { IpAddress } from '../../wire/ipAddress.js';
import type { ConnectFact } from '../facts.js';

/** How long a server may take, in milliseconds. */
const connectTimeoutMs = 2_000;

/** Tries each address and port once, all at the same time. */
export function tryConnects(
  targets: readonly { readonly address: IpAddress; readonly port: number }[],
): Promise<readonly ConnectFact[]> {
  return Promise.all(targets.map(({ address, port }) => tryConnect(address, port)));
}

function tryConnect(address: IpAddress, port: number): Promise<ConnectFact> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (outcome: ConnectFact['outcome'], detail: string): void => {
      socket.destroy();
      resolve({ address, port, outcome, detail });
    };
    socket.setTimeout(connectTimeoutMs, () => {
      end('timeout', `no answer within ${connectTimeoutMs} ms`);
    });
    socket.once('connect', () => end('connected', 'connected'));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const detail = error.code ?? error.message;
      if (error.code === 'ECONNREFUSED') end('refused', detail);
      else if (error.code === 'EHOSTUNREACH' || error.code === 'EACCES') end('prohibited', detail);
      else end(error.code === 'ETIMEDOUT' ? 'timeout' : 'unreachable', detail);
    });
  });
}
