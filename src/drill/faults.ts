/** Breaks things on purpose. */
import { nowUs } from '../kernel/monotonicClock.js';
import type { Lab } from './lab.js';
import type { FaultAction } from './scenario.js';

/** Carries out one action of a fault; returns what was done, and when it took effect. */
export async function carryOut(
  lab: Lab,
  action: FaultAction,
  active: string,
  timeoutMs: number,
): Promise<{ readonly what: string; readonly atUs: number }> {
  const atUs = nowUs();
  switch (action.kind) {
    case 'power-off':
      lab.agent(active).signal('SIGSTOP');
      lab.network.setLinks(active, false);
      lab.agent(active).signal('SIGKILL');
      return { what: `${active} switched off: agent frozen, cables pulled, agent killed`, atUs };
    case 'stop-agent':
      lab.agent(active).signal('SIGTERM');
      await lab.agent(active).waitForEnd(timeoutMs);
      return { what: `the agent of ${active} told to stop (SIGTERM)`, atUs };
    case 'server': {
      const at = await lab.setServer(action.server, action.behaviour);
      return { what: `real server ${action.server}: ${action.behaviour}`, atUs: at };
    }
  }
}
