/** Words sent and expected, one step after the other: the part that tcp, tls and udp share. */
import type { BytesExpectation, ExchangeStep } from '../probeSpec.js';
import type { Peer } from './peer.js';
import { failed, inconclusive, type ProbeOutcome, passed } from './probe.js';
import { matchInTime, regexInputLengthMax, regexTimeoutMs } from './timedMatch.js';

/** Runs the steps. What came in one step is not looked at again in the next. */
export async function runSteps(peer: Peer, steps: readonly ExchangeStep[]): Promise<ProbeOutcome> {
  let last = 'connected';
  for (const [index, { sendBase64, expect }] of steps.entries()) {
    if (sendBase64 !== undefined) peer.write(Buffer.from(sendBase64, 'base64'));
    if (expect === undefined) continue;
    let fault: ProbeOutcome | undefined;
    const bytes = await peer.take(`what step ${index + 1} expects`, (received) => {
      const verdict = meets(expect, received);
      if (typeof verdict === 'object') fault = verdict;
      return verdict === false ? undefined : received.length;
    });
    if (fault !== undefined) return fault;
    last = bytes.toString('utf8', 0, 200);
  }
  return passed(last);
}

/** Whether the bytes are as expected; an outcome when that cannot be found out. */
export function meets(expect: BytesExpectation, bytes: Buffer): boolean | ProbeOutcome {
  const { containsBase64, matches } = expect;
  if (containsBase64 !== undefined && !bytes.includes(Buffer.from(containsBase64, 'base64'))) {
    return false;
  }
  if (matches === undefined) return bytes.length > 0;
  switch (matchInTime(matches, bytes.toString('utf8').slice(0, regexInputLengthMax))) {
    case 'match':
      return true;
    case 'no-match':
      return false;
    case 'too-slow':
      return inconclusive('internal-error', `/${matches}/ took more than ${regexTimeoutMs} ms`);
    case 'invalid':
      return inconclusive('internal-error', `/${matches}/ is no regular expression`);
  }
}

/** An answer that is whole and wrong. */
export function unexpected(bytes: Buffer): ProbeOutcome {
  return failed('unexpected-answer', `it said "${bytes.toString('latin1', 0, 100)}"`);
}
