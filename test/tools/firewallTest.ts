/** The same promises of the firewall, kept on every backend that the running kernel has. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { TandemError } from '../../src/errors.js';
import {
  type Firewall,
  type FirewallBackendName,
  type FirewallRule,
  openFirewall,
} from '../../src/kernel/firewall.js';
import { createNetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { parseIpPrefix } from '../../src/wire/ipAddress.js';

/** A firewall in a namespace of its own, which the calling thread is in until the test ends. */
export async function firewallIn(
  context: TestContext,
  backend: FirewallBackendName,
): Promise<Firewall | undefined> {
  const name = `tandem-fw-${process.pid}-${backend}`;
  const home = createNetworkNamespace(`${name}-home`);
  const namespace = createNetworkNamespace(name);
  context.after(() => {
    home.enter();
    namespace.remove();
    home.remove();
  });
  namespace.enter();
  try {
    return await openFirewall(backend);
  } catch (error) {
    if (error instanceof TandemError && error.code === 'FIREWALL_UNAVAILABLE') {
      context.skip(error.message);
      return undefined;
    }
    throw error;
  }
}

/** A rule that marks what goes to a port of the loopback. */
export function markOf(port: number, mark: number, destination = '127.0.0.0/8'): FirewallRule {
  const prefix = parseIpPrefix(destination);
  assert.ok(prefix !== undefined);
  return {
    kind: 'mark',
    protocol: 'udp',
    destination: prefix,
    ports: { first: port, last: port },
    mark,
  };
}

/** All that is in the firewall but counters, as its own tools print it. */
export function everyRule(backend: FirewallBackendName): string {
  if (backend === 'nftables') return execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' });
  return ['', '6']
    .map((family) => backend.replace('ip', `ip${family}`))
    .flatMap((program) =>
      ['mangle', 'filter', 'nat'].map((table) =>
        execFileSync(`${program}-save`, ['-t', table], { encoding: 'utf8' }),
      ),
    )
    .join('')
    .replace(/^#.*\n/gm, '')
    .replace(/\[\d+:\d+\]/g, '');
}

/** Rules of somebody else: they count the packets that carry a mark. */
export class MarkCounter {
  readonly #backend: FirewallBackendName;

  constructor(backend: FirewallBackendName, mark: number) {
    this.#backend = backend;
    if (backend === 'nftables') {
      const chain = '{ type filter hook input priority 0; }';
      const script = `add table inet judge
add chain inet judge input ${chain}
add rule inet judge input meta mark ${mark} counter`;
      execFileSync('nft', ['-f', '-'], { input: script });
    } else {
      execFileSync(backend, ['-A', 'INPUT', '-m', 'mark', '--mark', String(mark)]);
    }
  }

  /** Packets so far. */
  get packets(): number {
    const text =
      this.#backend === 'nftables'
        ? execFileSync('nft', ['list', 'table', 'inet', 'judge'], { encoding: 'utf8' })
        : execFileSync(`${this.#backend}-save`, ['-c', '-t', 'filter'], { encoding: 'utf8' });
    const count = /counter packets (\d+)/.exec(text) ?? /^\[(\d+):\d+\] -A INPUT/m.exec(text);
    return Number(count?.[1]);
  }
}

/** Sends one datagram as a user; returns the errno name of its failure, or `sent`. */
export function sendDatagram(port: number, userId = 0): string {
  const script = `
const socket = require('node:dgram').createSocket('udp4');
socket.send('x', ${port}, '127.0.0.1', (error) => {
  process.stdout.write(error === null ? 'sent' : error.code);
  socket.close();
});`;
  const options = { encoding: 'utf8', uid: userId, gid: userId, cwd: '/' } as const;
  return spawnSync(process.execPath, ['-e', script], options).stdout;
}

/** Empties the firewall, as an operator does who reloads rules of his own. */
export function flushAll(backend: FirewallBackendName): void {
  if (backend === 'nftables') execFileSync('nft', ['flush', 'ruleset']);
  else
    for (const table of ['mangle', 'filter']) {
      execFileSync(backend, ['-t', table, '-F']);
      execFileSync(backend, ['-t', table, '-X']);
    }
}

/** Removes the last rule of our marks behind our back. */
export function dropMarkRule(backend: FirewallBackendName): void {
  if (backend === 'nftables') {
    execFileSync('nft', ['flush', 'chain', 'inet', 'tandem', 'marks-prerouting']);
  } else {
    execFileSync(backend, ['-t', 'mangle', '-D', 'PREROUTING', '-j', 'TANDEM-MARKS-PRE']);
  }
}

/** Every promise, one after the other in one namespace. */
export async function keepsItsPromises(
  context: TestContext,
  backend: FirewallBackendName,
): Promise<void> {
  const firewall = await firewallIn(context, backend);
  if (firewall === undefined) return;
  const counter = new MarkCounter(backend, 66);
  const before = everyRule(backend);
  await firewall.replace({ name: 'marks', rules: [markOf(5001, 66), markOf(80, 66, '::1/128')] });
  assert.equal(sendDatagram(5001), 'sent');
  assert.equal(counter.packets, 1, 'the packet is marked');
  assert.equal(sendDatagram(5002), 'sent');
  assert.equal(counter.packets, 1, 'a packet to another port is not');

  await firewall.replace({ name: 'marks', rules: [markOf(5002, 66)] });
  sendDatagram(5001);
  sendDatagram(5002);
  assert.equal(counter.packets, 2, 'a set in the place of another leaves nothing of that one');
  assert.deepEqual(await firewall.audit(), [], 'an audit finds nothing when nothing was changed');

  dropMarkRule(backend);
  sendDatagram(5002);
  assert.equal(counter.packets, 2);
  assert.deepEqual(await firewall.audit(), ['marks'], 'a lost rule is put back');
  sendDatagram(5002);
  assert.equal(counter.packets, 3);

  const later = await openFirewall(backend);
  await later.replace({ name: 'marks', rules: [markOf(5002, 66)] });
  assert.equal(
    everyRule(backend).match(/(0x42|0x00000042)/g)?.length,
    // One rule of ours and the judge's.
    2,
    `a later agent takes the rules over, and there is one of each:\n${everyRule(backend)}`,
  );

  const rule = { kind: 'sender-only', family: 4, interface: 'lo', port: 5003, userId: 0 } as const;
  await later.replace({ name: 'sync', rules: [rule] });
  assert.equal(sendDatagram(5003), 'sent');
  assert.equal(sendDatagram(5003, 65_534), 'EPERM', 'another user may not send');
  assert.equal(sendDatagram(5004, 65_534), 'sent');

  await later.replace({ name: 'marks', rules: [] });
  assert.equal(sendDatagram(5003, 65_534), 'EPERM', 'the other set is still there');
  await later.replace({ name: 'sync', rules: [] });
  await later.replace({ name: 'sync', rules: [] });
  const withoutCounters = (text: string): string => text.replace(/packets \d+ bytes \d+/g, '');
  assert.equal(
    withoutCounters(everyRule(backend)),
    withoutCounters(before),
    'nothing of ours is left, and the rules of others are as they were',
  );

  await later.replace({ name: 'marks', rules: [markOf(5002, 66)] });
  flushAll(backend);
  assert.deepEqual(await later.audit(), ['marks'], 'a firewall that was emptied is filled again');
  await later.replace({ name: 'marks', rules: [] });
}
