/** One run of the benchmark of connection sync, where IPVS is. */
import { ipAddress } from '../../src/wire/ipAddress.js';
import { RelayScene } from '../embedded/syncRelaySupport.js';
import { measureBulk, processorSeconds } from './syncBulk.js';
import { countedConnections, Flood, offer } from './syncFlood.js';
import { KernelPair } from './syncKernelPair.js';
import type { OfferedPart, SyncPart, SyncPlan } from './syncModel.js';

const floodPort = 5_353;

/** Measures all parts, one after the other, and tells each. */
export async function runSync(plan: SyncPlan, tellPart: (part: SyncPart) => void): Promise<void> {
  for (const rate of plan.rates) {
    tellPart(await offeredToKernel(rate));
    tellPart(await offeredToRelay(rate));
  }
  for (const entries of plan.bulks) {
    tellPart(await inScene((scene) => measureBulk(scene, entries, plan.readsProc)));
  }
}

type Rate = SyncPlan['rates'][number];

async function offeredToKernel({ perSecond, connections }: Rate): Promise<OfferedPart> {
  const pair = new KernelPair(floodPort);
  const flood = pair.flood();
  try {
    const result = await offer(flood, connections, perSecond, () => pair.arrived());
    return { part: 'offered', way: 'kernel', perSecond, agentCpuShare: null, ...result };
  } finally {
    flood.close();
    pair.remove();
  }
}

function offeredToRelay({ perSecond, connections }: Rate): Promise<OfferedPart> {
  return inScene(async (scene) => {
    for (const node of ['lb1', 'lb2'] as const) {
      scene.writeConfig(node, (text) =>
        text.replace(/^services:\n/m, `services:\n${floodService}`),
      );
      await scene.start(node);
    }
    await scene.inSync();
    const agents = (): number =>
      processorSeconds(scene.processId('lb1')) + processorSeconds(scene.processId('lb2'));
    const flood = new Flood(ipAddress('10.77.0.100'), floodPort);
    try {
      const before = agents();
      const arrived = (): number => scene.onOther(() => countedConnections(floodPort));
      const result = await offer(flood, connections, perSecond, arrived);
      const agentCpuShare = (agents() - before) / result.seconds;
      return { part: 'offered', way: 'relay', perSecond, agentCpuShare, ...result };
    } finally {
      flood.close();
    }
  });
}

const floodService =
  `  - { name: flood, listen: 'udp://10.77.0.100:${floodPort}', scheduler: rr, forward: nat,` +
  " servers: [{ address: '10.77.0.10:9000' }, { address: '10.77.0.20:9000' }] }\n";

/** Two new directors for one measurement. */
async function inScene<Result>(work: (scene: RelayScene) => Promise<Result>): Promise<Result> {
  const ends: (() => unknown)[] = [];
  try {
    const scene = await RelayScene.prepare({
      after: (end) => void (end !== undefined && ends.push(end as () => unknown)),
    });
    return await work(scene);
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}
