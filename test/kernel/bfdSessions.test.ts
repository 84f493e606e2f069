/** BFD sessions between two real vrrp threads, in namespaces on one bridge. */
import assert from 'node:assert/strict';
import type { BfdSessionReport, BfdSessionSpec } from '../../src/bfd/protocol.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { rootTest } from './support/rootTest.js';
import { takeBfdPort } from './support/takenPort.js';
import { eventually, type LabDirector, VrrpLab } from './support/vrrpLab.js';

const key = { type: 'meticulous-sha1', keyId: 1, key: Buffer.from('bfd-secret') } as const;

/** A session with the other director, of 50 ms times 5: patient enough for a busy machine. */
function session(peer: number, changes: Partial<BfdSessionSpec> = {}): BfdSessionSpec {
  return {
    name: 'pair',
    peer: ipAddress(`192.0.2.${peer}`),
    interface: 'eth0',
    multihop: false,
    enabled: true,
    desiredMinTxUs: 50_000,
    requiredMinRxUs: 50_000,
    detectMultiplier: 5,
    ...changes,
  };
}

function configure(director: LabDirector, ...sessions: readonly BfdSessionSpec[]): void {
  director.configure({ routers: [], syncGroups: [], sessions });
}

function reportOf(director: LabDirector, name = 'pair'): BfdSessionReport | undefined {
  const report = director.said('report').at(-1);
  return report?.sessions.find((each) => each.name === name);
}

async function reaches(
  director: LabDirector,
  what: string,
  isWanted: (report: BfdSessionReport) => boolean,
): Promise<void> {
  await eventually(what, () => {
    director.thread.post({ type: 'report' });
    const report = reportOf(director);
    return report !== undefined && isWanted(report);
  });
}

const isUp = ({ state }: BfdSessionReport): boolean => state === 'up';

/** Starts both threads with a session on each, and waits until it is up on both. */
async function startPair(lab: VrrpLab, changes: Partial<BfdSessionSpec> = {}): Promise<void> {
  const [first, second] = lab.directors;
  for (const director of lab.directors) director.start();
  configure(first, session(2, changes));
  configure(second, session(1, changes));
  for (const director of lab.directors) await reaches(director, 'the session is up', isUp);
}

for (const authentication of [undefined, key]) {
  const how = authentication === undefined ? 'plain' : 'authenticated';
  rootTest(`a session comes up and both ends agree on its intervals, ${how}`, async (context) => {
    const lab = new VrrpLab(context);
    await startPair(lab, authentication === undefined ? {} : { authentication });
    for (const director of lab.directors) {
      await reaches(director, 'the fast intervals apply', (report) => {
        return report.transmitIntervalUs === 50_000 && report.detectionTimeUs === 250_000;
      });
      const report = reportOf(director);
      assert.equal(report?.diagnostic, 'none');
      assert.equal(report?.remote.state, 'up');
      assert.equal(report?.authentication, authentication?.type ?? null);
      assert.deepEqual(report?.counters.rejected, {});
      const steps = report?.transitions.map(({ from, to }) => `${from} ${to}`).join(', ') ?? '';
      assert.ok(
        ['down init, init up', 'down up'].some((path) => steps.startsWith(path)),
        steps,
      );
    }
    const [first, second] = lab.directors.map((director) => reportOf(director));
    assert.equal(first?.localDiscriminator, second?.remote.discriminator);
    assert.equal(second?.localDiscriminator, first?.remote.discriminator);
  });
}

rootTest('a thread that dies is noticed by silence, one that stops says so', async (context) => {
  const lab = new VrrpLab(context);
  const [first, second] = lab.directors;
  await startPair(lab);
  await first.thread.kill();
  await reaches(second, 'the silence is noticed', ({ state, diagnostic }) => {
    return state === 'down' && diagnostic === 'detection-time-expired';
  });
  first.start();
  configure(first, session(2));
  await reaches(second, 'the session is up again', isUp);
  await first.thread.stop();
  await reaches(second, 'the stop is told', ({ diagnostic, remote }) => {
    return diagnostic === 'neighbour-signalled-down' && remote.state === 'admin-down';
  });
});

rootTest('a session follows its interface: lost, back, and up again', async (context) => {
  const lab = new VrrpLab(context);
  const [first, second] = lab.directors;
  await startPair(lab);
  first.netlink.setLink('eth0', { up: false });
  await reaches(first, 'the loss of the interface is seen', ({ state, diagnostic, source }) => {
    return state === 'down' && diagnostic === 'path-down' && source === null;
  });
  first.netlink.setLink('eth0', { up: true });
  for (const director of [first, second]) await reaches(director, 'the session is up', isUp);
  first.changeAddress('delete', '192.0.2.1/24');
  await reaches(first, 'the loss of the address is seen', ({ source }) => source === null);
  first.changeAddress('add', '192.0.2.1/24');
  for (const director of [first, second]) await reaches(director, 'the session is up', isUp);
});

rootTest('another key keeps a session down, counted by its reason', async (context) => {
  const lab = new VrrpLab(context);
  const [first, second] = lab.directors;
  for (const director of lab.directors) director.start();
  configure(first, session(2, { authentication: key }));
  configure(second, session(1, { authentication: { ...key, key: Buffer.from('other') } }));
  for (const director of lab.directors) {
    await reaches(director, 'the digest is refused', ({ counters }) => {
      return (counters.rejected['authentication-digest'] ?? 0) > 1;
    });
    assert.equal(reportOf(director)?.state, 'down');
    const remarks = director.said('log').filter(({ message }) => message.includes('discarded'));
    assert.equal(remarks.length, 1, 'the log says it once');
  }
});

rootTest('intervals change without a failure, another peer is another session', async (context) => {
  const lab = new VrrpLab(context);
  const [first, second] = lab.directors;
  await startPair(lab);
  const { localDiscriminator } = reportOf(first) ?? {};
  configure(first, session(2, { desiredMinTxUs: 200_000, requiredMinRxUs: 100_000 }));
  await reaches(second, 'the new intervals apply', (report) => {
    return report.transmitIntervalUs === 100_000 && report.detectionTimeUs === 1_000_000;
  });
  for (const director of lab.directors) {
    assert.ok(reportOf(director)?.transitions.every(({ to }) => to !== 'down'));
  }
  configure(first, session(9));
  await reaches(first, 'the session is another one', (report) => {
    return report.peer === '192.0.2.9' && report.localDiscriminator !== localDiscriminator;
  });
  await reaches(second, 'the end is told', ({ remote }) => remote.state === 'admin-down');
  configure(first);
  await eventually('there is no session any more', () => {
    first.thread.post({ type: 'report' });
    return reportOf(first) === undefined;
  });
});

rootTest('a session over IPv6 comes up', async (context) => {
  const lab = new VrrpLab(context);
  const [first, second] = lab.directors;
  first.changeAddress('add', '2001:db8::1/64');
  second.changeAddress('add', '2001:db8::2/64');
  for (const director of lab.directors) director.start();
  configure(first, session(0, { peer: ipAddress('2001:db8::2') }));
  configure(second, session(0, { peer: ipAddress('2001:db8::1') }));
  for (const director of lab.directors) await reaches(director, 'the session is up', isUp);
  assert.equal(reportOf(first)?.source, '2001:db8::1');
});

rootTest('a multihop session comes up beside a single-hop one', async (context) => {
  const lab = new VrrpLab(context);
  const [first, second] = lab.directors;
  for (const director of lab.directors) director.start();
  const far = { multihop: true, authentication: key } as const;
  configure(first, session(2), session(2, { ...far, name: 'far' }));
  configure(second, session(1), session(1, { ...far, name: 'far' }));
  for (const director of lab.directors) {
    await eventually('both sessions are up', () => {
      director.thread.post({ type: 'report' });
      return ['pair', 'far'].every((name) => reportOf(director, name)?.state === 'up');
    });
  }
});

rootTest(
  'a port that another program has does not keep the election from running',
  async (context) => {
    const lab = new VrrpLab(context);
    const [first] = lab.directors;
    const release = takeBfdPort(context, first.namespace);
    first.start();
    configure(first, session(2));
    await eventually('the failure is told', () =>
      first.said('log').some(({ message }) => message.includes('EADDRINUSE')),
    );
    assert.equal(first.said('configured').length, 2);
    release();
    await reaches(first, 'the session runs', ({ counters }) => counters.packetsSent > 0);
  },
);
