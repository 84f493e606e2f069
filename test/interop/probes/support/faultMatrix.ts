/** Every way in which a server may fail, tried with a check that passes when it does not. */
import assert from 'node:assert/strict';
import type { ProbeOutcome, ProbeTarget } from '../../../../src/health/probes/probe.js';
import type { ProbeReason } from '../../../../src/health/reasons.js';
import { type CheckText, patientMs, probeBy } from './configuredCheck.js';
import { type Fault, startFaultProxy } from './faultProxy.js';
import { serverAddress } from './serverScene.js';

/** The deadline of probes that are to run into it. */
export const impatientMs = 1_500;

/** An answer is cut at so many places, evenly spread. */
const cutsMax = 20;

/** Nobody listens here. */
export const closedPort = 9;

/** A check and the real server that passes it. */
export interface FaultCase {
  readonly title: string;
  readonly check: CheckText;
  readonly server: ProbeTarget;
  /**
   * The share of the conversation behind which a cut is of no account, because the rest is no part
   * of the answer, such as the tickets that end a handshake; absent: all of it counts.
   */
  readonly answerShare?: number;
}

const garbageReasons: readonly ProbeReason[] = [
  'malformed-response',
  'unexpected-answer',
  'truncated',
  'tls-handshake',
  'too-large',
];

/** A reset is what is left of a connection that the server has closed while we were writing. */
const cutReasons: readonly ProbeReason[] = ['truncated', 'connection-reset'];

/** Runs the cases at once: most of the time is spent waiting for deadlines. */
export async function tryFaults(cases: readonly FaultCase[]): Promise<void> {
  await allOf(cases.map(tryCase));
}

/** Waits for all, also when one has failed, and tells of every failure. */
export async function allOf(attempts: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(attempts);
  const messages = results.flatMap((result) =>
    result.status === 'fulfilled' ? [] : [String(result.reason)],
  );
  assert.deepEqual(messages, []);
}

async function tryCase(faultCase: FaultCase): Promise<void> {
  const { title, check, server, answerShare = 1 } = faultCase;
  const healthy = await startFaultProxy(server, { kind: 'none' });
  const outcome = await probeBy(check, healthy.target);
  await healthy.close();
  assert.equal(outcome.reason, 'passed', `${title}: ${outcome.reason}, ${outcome.detail}`);

  const expectFault = async (
    fault: Fault,
    reasons: readonly ProbeReason[],
    timeoutMs: number = patientMs,
  ): Promise<void> => {
    const proxy = await startFaultProxy(server, fault);
    try {
      const text = `${title}, ${JSON.stringify(fault)}`;
      assertFailed(text, await probeBy(check, proxy.target, timeoutMs), reasons);
    } finally {
      await proxy.close();
    }
  };
  const refused = await probeBy(check, { address: serverAddress, port: closedPort });
  assertFailed(`${title}, refused`, refused, ['connection-refused']);
  const cutsBefore = Math.ceil(healthy.bytesPassed * answerShare);
  await allOf([
    expectFault({ kind: 'hang' }, ['timeout'], impatientMs),
    expectFault({ kind: 'drip' }, ['timeout'], impatientMs),
    expectFault({ kind: 'flood' }, garbageReasons),
    expectFault({ kind: 'garbage' }, garbageReasons),
    ...cuts(cutsBefore).map((bytes) => expectFault({ kind: 'truncate', bytes }, cutReasons)),
  ]);
}

/** Places from the beginning up to the last byte, which is always one of them. */
function cuts(bytes: number): readonly number[] {
  const count = Math.min(cutsMax, bytes);
  return Array.from({ length: count }, (_, index) =>
    Math.floor(((bytes - 1) * index) / Math.max(1, count - 1)),
  );
}

/** A failure has one of these reasons, and says in words that can be printed what came. */
export function assertFailed(
  title: string,
  { result, reason, detail }: ProbeOutcome,
  reasons: readonly ProbeReason[],
): void {
  const text = `${title}: ${result}, ${reason}, ${detail}`;
  assert.ok(result === 'failed', text);
  assert.ok(reasons.includes(reason), text);
  assert.ok(detail.length > 0 && detail.length <= 200, text);
  assert.doesNotMatch(detail, /\p{C}/u, text);
}
