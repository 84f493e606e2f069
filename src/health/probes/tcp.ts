/** The TCP probe: a server that completes the handshake passes, and says what it must if asked. */
import type { ProbeSpecOf } from '../probeSpec.js';
import { openConnection } from './connection.js';
import { runSteps } from './exchangeSteps.js';
import { converse } from './peer.js';
import { failed, type Probe, type ProbeOutcome, passed } from './probe.js';

/** Connects, exchanges what the check wants exchanged, and resets the connection at once. */
export const probeTcp: Probe<ProbeSpecOf<'tcp'>> = (target, spec, signal) => {
  const { steps, origin } = spec;
  if (steps !== undefined) {
    return converse(target, { origin }, signal, (peer) => runSteps(peer, steps));
  }
  return new Promise((resolve) => {
    const startedMs = performance.now();
    const settle = (outcome: ProbeOutcome): void => {
      resolve(outcome);
      signal.removeEventListener('abort', onDeadline);
      connection.destroy();
    };
    const onDeadline = (): void => settle(failed('timeout', connection.progress() ?? ''));
    const connection = openConnection(
      target,
      { origin },
      {
        failed: settle,
        ready: () =>
          settle(passed(`connected in ${(performance.now() - startedMs).toFixed(1)} ms`)),
      },
    );
    if (signal.aborted) onDeadline();
    else signal.addEventListener('abort', onDeadline, { once: true });
  });
};
