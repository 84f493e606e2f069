/** The faults of faultMatrix.ts for checks whose server answers in datagrams. */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import type { ProbeTarget } from '../../../../src/health/probes/probe.js';
import type { ProbeReason } from '../../../../src/health/reasons.js';
import { patientMs, probeBy } from './configuredCheck.js';
import { allOf, assertFailed, closedPort, type FaultCase, impatientMs } from './faultMatrix.js';
import { garbage } from './faultProxy.js';
import { serverAddress } from './serverScene.js';

/** What becomes of the answer. */
type DatagramFault =
  | { readonly kind: 'none' | 'hang' | 'drip' | 'flood' | 'garbage' }
  | { readonly kind: 'truncate'; readonly bytes: number };

const dripIntervalMs = 1_000;
const floodBytes = 100_000_000;
const floodPiece = Buffer.alloc(60_000, 'x');
/** Datagrams of a flood that are sent before others get their turn. */
const burst = 32;

const wrongReasons: readonly ProbeReason[] = ['malformed-response', 'unexpected-answer'];

/** Runs the cases at once, each with every fault. */
export async function tryDatagramFaults(cases: readonly FaultCase[]): Promise<void> {
  await allOf(cases.map(tryCase));
}

async function tryCase({ title, check, server }: FaultCase): Promise<void> {
  const healthy = await startDatagramProxy(server, { kind: 'none' });
  const outcome = await probeBy(check, healthy.target);
  healthy.close();
  assert.ok(outcome.reason === 'passed', `${title}: ${outcome.reason}, ${outcome.detail}`);
  const { answerBytes } = healthy;
  assert.ok(answerBytes > 0);

  const expectFault = async (
    fault: DatagramFault,
    reasons: readonly ProbeReason[],
    timeoutMs: number = patientMs,
  ): Promise<void> => {
    const proxy = await startDatagramProxy(server, fault);
    try {
      const text = `${title}, ${JSON.stringify(fault)}`;
      assertFailed(text, await probeBy(check, proxy.target, timeoutMs), reasons);
    } finally {
      proxy.close();
    }
  };
  const refused = await probeBy(check, { address: serverAddress, port: closedPort });
  assertFailed(`${title}, refused`, refused, ['connection-refused']);
  await allOf([
    expectFault({ kind: 'hang' }, ['timeout'], impatientMs),
    expectFault({ kind: 'drip' }, [...wrongReasons, 'timeout'], impatientMs),
    expectFault({ kind: 'flood' }, wrongReasons),
    expectFault({ kind: 'garbage' }, wrongReasons),
    ...Array.from({ length: answerBytes }, (_, bytes) =>
      expectFault({ kind: 'truncate', bytes }, wrongReasons),
    ),
  ]);
}

async function startDatagramProxy(server: ProbeTarget, fault: DatagramFault) {
  const listener = createSocket('udp4');
  const upstream = createSocket('udp4');
  const timers = new Set<NodeJS.Timeout>();
  let answerBytes = 0;
  let probePort = 0;
  let isOpen = true;
  const answer = (bytes: Uint8Array): void => {
    if (isOpen) listener.send(bytes, probePort, serverAddress);
  };
  listener.on('message', (bytes, { port }) => {
    probePort = port;
    upstream.send(bytes, server.port, server.address);
  });
  upstream.on('message', (bytes) => {
    answerBytes = bytes.length;
    switch (fault.kind) {
      case 'none':
        return answer(bytes);
      case 'truncate':
        return answer(bytes.subarray(0, fault.bytes));
      case 'garbage':
        return answer(garbage.subarray(0, 512));
      case 'drip': {
        let sent = 0;
        const timer = setInterval(() => answer(bytes.subarray(sent, ++sent)), dripIntervalMs);
        timers.add(timer);
        return;
      }
      case 'flood':
        return flood(answer, () => isOpen);
      case 'hang':
        return;
    }
  });
  await Promise.all([bind(listener), bind(upstream)]);
  return {
    target: { address: serverAddress, port: listener.address().port },
    get answerBytes() {
      return answerBytes;
    },
    close: () => {
      isOpen = false;
      for (const timer of timers) clearInterval(timer);
      listener.close();
      upstream.close();
    },
  };
}

function flood(answer: (bytes: Uint8Array) => void, isOpen: () => boolean): void {
  let sent = 0;
  const pump = (): void => {
    for (let count = 0; count < burst; count += 1) answer(floodPiece);
    sent += burst * floodPiece.length;
    if (sent < floodBytes && isOpen()) setImmediate(pump);
  };
  pump();
}

function bind(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: serverAddress }, () => {
      // A probe that is gone refuses what comes late.
      socket.on('error', () => undefined);
      resolve();
    });
  });
}
