/** The file descriptor of a datagram socket of Node, for options that Node does not set. */
import type { Socket } from 'node:dgram';

/** Node has no public way to it; without it the caller leaves the option alone. */
export function descriptorOfDatagramSocket(socket: Socket): number | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === 'state symbol',
  );
  if (symbol === undefined) return undefined;
  const state = (socket as unknown as Record<symbol, { handle?: { fd?: unknown } } | undefined>)[
    symbol
  ];
  const descriptor = state?.handle?.fd;
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : undefined;
}
