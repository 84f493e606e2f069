/** Keeps a lab up to look around in, until a signal ends the process. */

import { drillLimits } from './drillLimits.js';
import { sharedFolderVariable } from './embeddedKernel.js';
import type { KernelKind } from './kernelChoice.js';
import { Lab } from './lab.js';
import { writeReady } from './labControl.js';
import { serveRequests } from './labRequests.js';
import { startPair } from './pairReadiness.js';
import type { DrillReporter } from './reporter.js';
import { topologies } from './topologies.js';
import type { TopologyName } from './topology.js';

/** Makes a lab, waits until the pair works, and keeps it up. */
export async function makeAndKeepLab(
  topology: TopologyName,
  kernel: KernelKind,
  reporter: DrillReporter,
): Promise<void> {
  const lab = new Lab(topologies[topology], kernel, 'up');
  try {
    await lab.startServers();
    const { active, standby } = await startPair(lab, drillLimits(kernel).stepTimeoutMs);
    reporter.step(`the lab ${lab.id} is up: ${active} is Active, ${standby} is Backup`);
    await keepLabUp(lab, reporter);
  } finally {
    await lab.remove();
  }
}

/**
 * Serves requests for a lab. It never returns: the lab is removed by what is registered for the
 * end of the process.
 */
export async function keepLabUp(lab: Lab, reporter: DrillReporter): Promise<void> {
  lab.markReady();
  const sharedFolder = process.env[sharedFolderVariable];
  // Written before the line, because whoever reads the line looks for the file.
  if (sharedFolder !== undefined) writeReady(sharedFolder);
  reporter.step(
    sharedFolder === undefined
      ? `the lab stays up: tandem lab exec --lab ${lab.id} NODE COMMAND; end it with Ctrl-C`
      : 'the lab stays up: tandem lab exec NODE COMMAND; end it with Ctrl-C',
  );
  if (sharedFolder === undefined) {
    await stayUp();
    return;
  }
  await serveRequests(lab, sharedFolder, () => false);
}

/** A pending timer keeps the process; the signal that ends it runs the cleanups. */
function stayUp(): Promise<never> {
  return new Promise(() => {
    setInterval(() => undefined, 3_600_000);
  });
}
