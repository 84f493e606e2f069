/** The weights of real servers in a director's kernel. */
import { type ProcServer, readProcServers } from './ipvsProcTable.js';
import type { Lab } from './lab.js';

/** When a failed server's weights changed, monotonic microseconds; absent: they did not. */
export interface WeightWatch {
  readonly zeroUs?: number;
  readonly healedUs?: number;
  readonly backUs?: number;
}

/** The real servers in the kernel of a director. */
export function readWeights(lab: Lab, director: string): readonly ProcServer[] {
  return lab.network.namespace(director).run(readProcServers);
}
