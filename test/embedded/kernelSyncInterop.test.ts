/** `mode: kernel` with other programs: keepalived is the other director, ipvsadm listens too. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { ipAddress, ipToBytes } from '../../src/wire/ipAddress.js';
import { eventually, ipvsTest } from './ipvsSupport.js';
import { Client, clientAddress, opened, survivors } from './takeoverClients.js';
import { ports } from './takeoverConfigs.js';
import { connectionsIn, TakeoverLab } from './takeoverSupport.js';

/** What the configuration of keepalived in this lab has. */
const syncId = 7;
const otherSyncId = 8;

/** Connections of each kind that are opened at a time. */
const clientCount = 10;

/** Clients, each with an address of its own, by which their connections are known. */
interface Held {
  readonly clients: readonly Client[];
  readonly addresses: readonly string[];
}

ipvsTest('the sync of the kernel is exchanged with keepalived and ipvsadm', async (_, t) => {
  const lab = await TakeoverLab.prepare(t);
  await lab.start('lb1', 'tandem', kernelMode);
  await lab.active('lb1');
  await lab.start('lb2', 'keepalived');
  await lab.listens('lb2');
  const witness = lab.addWitness('witness', '10.10.3.1/16');
  const listen = `--start-daemon backup --mcast-interface eth0 --syncid ${syncId}`;
  witness.run(() => execFileSync('ipvsadm', listen.split(' ')));
  const witnessed = (): string => connectionsIn(witness);
  let held: Held | undefined;

  await t.test('keepalived and ipvsadm learn the connections of Tandem', async () => {
    held = await hold(t, 0);
    const { addresses } = held;
    await knows(() => lab.connectionsOf('lb2'), addresses, 'keepalived as Backup');
    await knows(witnessed, addresses, 'the daemon of ipvsadm');
  });

  await t.test('keepalived takes over, and the connections go on', async () => {
    const { exitCode, output } = await lab.command('lb1', 'failover', '--for', '10m');
    assert.equal(exitCode, 0, output);
    await lab.active('lb2');
    await lab.listens('lb1');
    assert.equal(await survivors(held?.clients ?? []), 2 * clientCount);
  });

  await t.test('Tandem and ipvsadm learn the connections of keepalived', async () => {
    const { addresses } = await hold(t, clientCount);
    await knows(() => lab.connectionsOf('lb1'), addresses, 'Tandem as Backup');
    await knows(witnessed, addresses, 'the daemon of ipvsadm');
  });

  await t.test('a director with another sync id learns nothing', async () => {
    const config = readFileSync(lab.configPath('lb1'), 'utf8');
    const other = config.replace(`syncId: ${syncId}`, `syncId: ${otherSyncId}`);
    writeFileSync(lab.configPath('lb1'), other);
    const { exitCode, output } = await lab.command('lb1', 'reload');
    assert.equal(exitCode, 0, output);
    await lab.listens('lb1', new RegExp(`backup sync daemon .*syncid=${otherSyncId},`));
    const { addresses } = await hold(t, 2 * clientCount);
    await knows(witnessed, addresses, 'the daemon of ipvsadm');
    const known = lab.connectionsOf('lb1');
    assert.deepEqual(
      addresses.filter((address) => known.includes(inHexadecimal(address))),
      [],
    );
  });
});

/** The configuration of Tandem as the peer of keepalived: version 2, and the kernel's daemons. */
function kernelMode(config: string): string {
  return config
    .replace(/^peering: .*\n/m, '')
    .replace('{ mode: relay }', `{ mode: kernel, syncId: ${syncId} }`)
    .replaceAll('advertInterval: 1s,', 'advertInterval: 1s, version: 2,');
}

/** Opens connections with and without persistence, from addresses that had none yet. */
async function hold(context: TestContext, from: number): Promise<Held> {
  const addresses = Array.from({ length: clientCount }, (_, index) => clientAddress(from + index));
  const open = (port: number): Promise<readonly Client[]> =>
    opened(clientCount, (index) => new Client(context, port, addresses[index]));
  const clients = [...(await open(ports.nat.plain)), ...(await open(ports.dr.persistent))];
  // With the kernel's own settings, which keepalived leaves, the third packet is the first told.
  assert.equal(await survivors(clients), clients.length);
  return { clients, addresses };
}

/** Waits until all connections of these clients are in a kernel, and their templates. */
async function knows(
  connections: () => string,
  addresses: readonly string[],
  who: string,
): Promise<void> {
  const rowsOf = (address: string): number =>
    connections()
      .split('\n')
      .filter((row) => row.includes(` ${inHexadecimal(address)} `)).length;
  await eventually(
    async () => addresses.every((address) => rowsOf(address) === 3),
    `${who} knows all`,
  ).catch((error) => {
    throw new Error(`${String(error)}\n${connections()}`);
  });
}

/** An address as the kernel's file has it. */
function inHexadecimal(address: string): string {
  return Buffer.from(ipToBytes(ipAddress(address)))
    .toString('hex')
    .toUpperCase();
}
