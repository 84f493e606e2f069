/** One run of the benchmark of connection sync, where IPVS is. */
import { randomInt } from 'node:crypto';
import { createNetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { RelayScene } from '../embedded/syncRelaySupport.js';
import { measureBulk, processorSeconds } from './syncBulk.js';
import { countedConnections, Flood, offer } from './syncFlood.js';
import { KernelPair } from './syncKernelPair.js';
import type { OfferedPart, SyncPart, SyncPlan } from './syncModel.js';

const floodPort = 5_353;

/** Before the clock runs: agents live for months, so their code is compiled when a rush comes. */
const warmUpConnections = 3_000;
const warmUpPerSecond = 1_500;

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
    await offer(flood, warmUpConnections, warmUpPerSecond, () => pair.arrived());
    const known = pair.arrived();
    const result = await offer(flood, connections, perSecond, () => pair.arrived() - known);
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
      const arrived = (): number => scene.onOther(() => countedConnections(floodPort));
      await offer(flood, warmUpConnections, warmUpPerSecond, arrived);
      const before = agents();
      const known = arrived();
      const result = await offer(flood, connections, perSecond, () => arrived() - known);
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
  // In a namespace of its own: an agent syncs what an earlier measurement left in the table too.
  const namespace = createNetworkNamespace(`tandem-sync-${process.pid}-${randomInt(1e6)}`);
  namespace.enter();
  const ends: (() => unknown)[] = [() => namespace.remove()];
  try {
    const scene = await RelayScene.prepare({
      after: (end) => void (end !== undefined && ends.push(end as () => unknown)),
    });
    return await work(scene);
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}
