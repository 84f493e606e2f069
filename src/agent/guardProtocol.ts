/** The messages between the agent and its guard; they survive structured cloning. */
import type { VrrpConfiguration } from '../vrrp/protocol.js';

/** To the guard: what is to be given up if the agent dies, in place of what was said before. */
export interface ToGuard {
  readonly agentPid: number;
  readonly configuration: VrrpConfiguration;
  /** The agent's API socket: whoever listens there after its death is another agent. */
  readonly socketPath: string;
}

/** From the guard: it is ready to act on what it was told last. */
export interface FromGuard {
  readonly type: 'ready';
}
