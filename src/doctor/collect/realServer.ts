/** Collects everything that is looked at on a real server. */
import { readListeningPorts } from '../../kernel/networkCounters.js';
import type { RealServerFacts } from '../facts.js';
import { collectMachine, watchReversePathDrops } from './machine.js';

/** What the server is there for. */
export type RealServerPurpose = Pick<
  RealServerFacts,
  'mode' | 'virtualAddresses' | 'directors' | 'ports'
>;

/** Looks at this machine as a real server; changes nothing and asks nobody. */
export async function collectRealServer(purpose: RealServerPurpose): Promise<RealServerFacts> {
  const drops = watchReversePathDrops();
  const machine = await collectMachine();
  return {
    ...machine,
    ...purpose,
    role: 'real-server',
    listeners: readListeningPorts(),
    reversePathDrops: drops(),
  };
}
