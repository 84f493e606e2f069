/** Entries of connection sync to make others from. */
import type { SyncEntry } from '../../src/wire/syncModel.js';

/** An established TCP connection of IPv4, but for its addresses. */
export const establishedConnection: Omit<
  SyncEntry,
  'clientAddress' | 'virtualAddress' | 'serverAddress'
> = {
  family: 4,
  protocol: 6,
  flags: 0,
  state: 1,
  clientPort: 40_000,
  virtualPort: 80,
  serverPort: 8080,
  firewallMark: 0,
  timeoutSeconds: 900,
};
