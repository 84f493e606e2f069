/** Collects everything that is looked at on a real server. */
import { joinedPlan, type RealServerPlan, realServerPlan } from '../../host/realServerPlan.js';
import { listGuePorts } from '../../kernel/guePorts.js';
import { readListeningPorts } from '../../kernel/networkCounters.js';
import type { IpAddress } from '../../wire/ipAddress.js';
import type { RealServerFacts } from '../facts.js';
import { collectMachine, watchReversePathDrops } from './machine.js';

/** What the server is there for. */
export type RealServerPurpose = Pick<
  RealServerFacts,
  'mode' | 'virtualAddresses' | 'directors' | 'ports' | 'encapsulations'
> & {
  /** The server's own address, as the directors know it; absent: of the virtual one's family. */
  readonly server?: IpAddress;
};

/** Looks at this machine as a real server; changes nothing and asks nobody. */
export async function collectRealServer(purpose: RealServerPurpose): Promise<RealServerFacts> {
  const drops = watchReversePathDrops();
  const machine = await collectMachine();
  const { tunnels = [], ports: wantedPorts = [] } = planOf(purpose) ?? {};
  const open = wantedPorts.length === 0 ? [] : listGuePorts();
  const { server: _, ...known } = purpose;
  return {
    ...machine,
    ...known,
    role: 'real-server',
    tunnels,
    guePorts: wantedPorts.map(({ family, port }) => ({
      family,
      port,
      open: open.some((found) => found.family === family && found.port === port),
    })),
    listeners: readListeningPorts(),
    reversePathDrops: drops(),
  };
}

function planOf(purpose: RealServerPurpose): RealServerPlan | undefined {
  const { mode, virtualAddresses, encapsulations, server } = purpose;
  if (mode !== 'tunnel') return undefined;
  const [first, ...others] = encapsulations.map((encapsulation) =>
    realServerPlan(mode, virtualAddresses, {
      ...(server === undefined ? {} : { server }),
      ...(encapsulation === undefined ? {} : { encapsulation }),
    }),
  );
  return first === undefined ? undefined : joinedPlan([first, ...others]);
}
