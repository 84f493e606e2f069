/** A health thread whose messages a test can look at. */
import type { TestContext } from 'node:test';
import { type HealthThread, startHealthThread } from '../../../../src/health/client.js';
import type { ProbeSpec } from '../../../../src/health/probeSpec.js';
import type { ProbeTarget } from '../../../../src/health/probes/probe.js';
import type {
  CheckReport,
  CheckSpec,
  CheckTiming,
  FromHealth,
} from '../../../../src/health/protocol.js';
import { formatEndpoint } from '../../../../src/wire/ipAddress.js';

export interface WatchedThread {
  readonly thread: HealthThread;
  /** Every message so far, in order. */
  readonly messages: readonly FromHealth[];
  /** The newest report of each check, complete or not. */
  readonly reports: ReadonlyMap<string, CheckReport>;
}

/** Starts a health thread that ends with the test. */
export function watchedThread(t: TestContext, networkNamespacePath?: string): WatchedThread {
  const messages: FromHealth[] = [];
  const reports = new Map<string, CheckReport>();
  const thread = startHealthThread({
    ...(networkNamespacePath === undefined ? {} : { networkNamespacePath }),
    onMessage: (message) => {
      messages.push(message);
      if (message.type !== 'reports') return;
      for (const report of message.reports) reports.set(report.id, report);
    },
  });
  t.after(() => thread.stop());
  return { thread, messages, reports };
}

/** A check of a target, named after it unless given a name. */
export function checkOf(
  target: ProbeTarget,
  timing: Partial<CheckTiming> = {},
  probe: ProbeSpec = { type: 'tcp' },
  id = `web/${formatEndpoint(target.address, target.port)}`,
): CheckSpec {
  const { address, port } = target;
  const defaults: CheckTiming = { intervalMs: 100, timeoutMs: 100, rise: 2, fall: 3 };
  return { id, address, port, probe, timing: { ...defaults, ...timing } };
}
