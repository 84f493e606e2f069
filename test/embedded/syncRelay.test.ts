/** The relay between two real kernels' tables: namespaces have one each. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { readSysctl, writeSysctl } from '../../src/kernel/sysctl.js';
import { readUdpSockets } from '../../src/kernel/udpSockets.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { encodeSyncMessage } from '../../src/wire/syncMessage.js';
import { ask, eventually, ipvsTest, openConnection } from './ipvsSupport.js';
import { streamTo } from './pcapStream.js';
import {
  cableAddresses6,
  peerPort,
  persistentService,
  plainService,
  RelayScene,
} from './syncRelaySupport.js';

const nobody = 65_534;

ipvsTest('the relay carries connections between two directors, and nothing else', async (_, t) => {
  const scene = await RelayScene.prepare(t);
  const clear = await recorded(t, 'lo', 'udp', join(scene.folder, 'lo.pcap'));
  const wire = await recorded(t, 'cable', 'tcp', join(scene.folder, 'cable.pcap'));
  await scene.start('lb1');
  const early = await openConnection(t, plainService);
  await ask(early, 'hello');

  await t.test('a director that joins receives what was there, also what is idle', async () => {
    await scene.start('lb2');
    await sameConnections(scene);
    await scene.inSync();
    const joined = await scene.relayOf('lb2', 'a bulk', ({ lastBulk }) => lastBulk !== null);
    assert.deepEqual([joined.phase, joined.lastBulk?.finished], ['received', true]);
    assert.equal(joined.holding, false);
  });

  await t.test('a new connection and its template follow at once', async () => {
    const client = await openConnection(t, persistentService);
    await ask(client, 'hello');
    await eventually(async () => scene.connections('lb2').length === 3, 'three entries on lb2');
    await sameConnections(scene);
    const { lagMs, counters } = await scene.relayOf('lb1', 'a lag', ({ lagMs }) => lagMs !== null);
    assert.ok((lagMs?.p50 ?? 0) > 0);
    assert.deepEqual(
      Object.values(counters.dropped).filter((count) => count > 0),
      [],
    );
  });

  await t.test('the kernel is set up for it, and the ports are guarded', async () => {
    assert.equal(readSysctl('net.ipv4.vs.sync_threshold'), '0\t0');
    assert.equal(readSysctl('net.ipv4.vs.sync_refresh_period'), '10');
    const { relay } = (await scene.status('lb1')).connectionSync;
    assert.equal(relay?.portsProtected, true);
    // The kernel has the third entry before the agents have counted and compared it.
    await eventually(async () => {
      const { stdout } = await scene.command('lb1', 'sync', 'status');
      return (
        /^connection sync: relay\n {2}in sync, compared \d+s ago\n/.test(stdout) &&
        stdout.includes('3 entries here, 3 at the peer')
      );
    }, 'both agree on three entries');
  });

  await t.test('the doctor finds a setting that somebody has changed', async () => {
    let said = '';
    // The agent puts it back now and then, so it may have to be changed more than once.
    await eventually(async () => {
      writeSysctl('net.ipv4.vs.sync_refresh_period', 0);
      const asked = ['--config', scene.configPath('lb1'), '--node', 'lb1', '--passive'];
      said = (await scene.command('lb1', 'doctor', ...asked)).stdout;
      return said.includes('net.ipv4.vs.sync_refresh_period is 0');
    }, 'the doctor finds it').catch((error) => {
      throw new Error(`${String(error)}\n${said}`);
    });
    assert.match(said, /Connections are not synced as they should be/);
    writeSysctl('net.ipv4.vs.sync_refresh_period', 10);
  });

  await t.test('the whole table is sent again on request', async () => {
    const { exitCode, stdout, stderr } = await scene.command('lb2', 'sync', 'resync');
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^in sync: 3 entries here, 3 there/);
  });

  await t.test('what the kernel did not take is asked for again', async () => {
    const daemon = (...args: readonly string[]) =>
      scene.onOther(() => execFileSync('ipvsadm', [...args]));
    daemon('--stop-daemon', 'backup');
    const { counters } = await scene.relayOf('lb2', 'any');
    await ask(await openConnection(t, plainService), 'hello');
    await scene.relayOf('lb2', 'an entry that nobody hears', (relay) => {
      return relay.counters.injected > counters.injected;
    });
    assert.equal(scene.connections('lb2').length, 3);
    const where = ['--mcast-interface', 'lo', '--mcast-port', '8849'];
    daemon('--start-daemon', 'backup', ...where);
    await eventually(async () => scene.connections('lb2').length === 4, 'it comes all the same');
    await sameConnections(scene);
  });

  await t.test('no other user and no other machine can add an entry', async () => {
    const before = scene.connections('lb1');
    const forged = forgedMessage();
    // Another user on this machine, to the kernel's daemon and to the agent: the firewall.
    assert.notEqual(await sendAs(nobody, '127.0.0.1', 8849, forged), 0);
    assert.notEqual(await sendAs(nobody, '127.0.0.1', 8848, forged), 0);
    // The same without the firewall: the agent looks at whose socket it is.
    execFileSync('iptables-legacy', ['-F', 'TANDEM-SYNC-OUT']);
    assert.equal(await sendAs(nobody, '127.0.0.1', 8848, forged), 0);
    const relay = await scene.relayOf('lb1', 'a refused datagram', ({ counters }) => {
      return counters.refusedDatagrams['not-from-kernel'] > 0;
    });
    // Another machine: the daemon listens on `lo` alone.
    const other = scene.onOther(() => sendAs(0, '10.88.0.2', 8849, forged));
    assert.equal(await other, 0);
    const { counters } = await scene.relayOf('lb1', 'a later report', (later) => {
      return (later.comparedUnixMs ?? 0) > (relay.comparedUnixMs ?? 0);
    });
    assert.equal(counters.heard, relay.counters.heard);
    assert.deepEqual(scene.connections('lb1'), before);
  });

  await t.test('nothing can be read on the wire, and a recorded stream is refused', async () => {
    await clear();
    await wire();
    // The three addresses of the first connection's entry, as the protocol of the kernel has them.
    const entry = Buffer.from([10, 77, 0, 100, 10, 77, 0, 10]);
    const [onLo, onCable] = ['lo', 'cable'].map((name) =>
      readFileSync(join(scene.folder, `${name}.pcap`)),
    );
    assert.ok(onLo?.includes(entry), 'the kernel tells in clear text, and the recorder works');
    assert.equal(onCable?.includes(entry), false);
    const stream = streamTo(onCable ?? Buffer.alloc(0), peerPort);
    assert.ok(stream.length > 500, `${stream.length} bytes were recorded`);
    const strangers = async (): Promise<number> => {
      const { peer } = await scene.status('lb2');
      return peer.configured ? peer.counters.strangers + peer.counters.refusals : 0;
    };
    const [before, { counters }] = [await strangers(), await scene.relayOf('lb2', 'any')];
    const replay = connect(peerPort, '10.88.0.2');
    t.after(() => replay.destroy());
    replay.on('error', () => undefined).resume();
    replay.write(stream);
    await eventually(async () => replay.closed, 'the replay is turned away');
    await eventually(async () => (await strangers()) > before, 'the replay is counted');
    const after = await scene.relayOf('lb2', 'any');
    assert.equal(after.counters.injected, counters.injected);
    assert.equal(after.connectedSinceUnixMs !== null, true);
  });

  await t.test('entries of a service that a director lacks are refused and counted', async () => {
    scene.writeConfig('lb2', (text) => text.replace(/^ {2}- \{ name: shop.*\n/m, ''));
    const reload = await scene.command('lb2', 'reload', '--force');
    assert.equal(reload.exitCode, 0, reload.stderr);
    const client = await openConnection(t, persistentService);
    await ask(client, 'hello');
    const { connections } = scene;
    const count = connections.call(scene, 'lb2').length;
    await scene.relayOf('lb2', 'refusals', ({ counters }) => {
      return counters.rejected['unknown-service'] > 0;
    });
    assert.equal(scene.connections('lb2').length, count);
    await scene.relayOf('lb2', 'agreement on the rest', ({ inSync, refusedBuckets }) => {
      return inSync && refusedBuckets > 0;
    });
  });

  await t.test('a wrong key keeps the table at home', async () => {
    const { counters: before } = await scene.relayOf('lb2', 'any');
    scene.writeKey('lb2', `${'5a'.repeat(32)}\n`);
    assert.equal((await scene.command('lb2', 'reload')).exitCode, 0);
    await eventually(async () => {
      const { peer } = await scene.status('lb2');
      return peer.configured && peer.refused?.reason === 'wrong-key';
    }, 'the key is refused');
    const client = await openConnection(t, plainService);
    await ask(client, 'hello');
    const { counters, inSync } = await scene.relayOf('lb2', 'no peer', (relay) => {
      return relay.connectedSinceUnixMs === null;
    });
    assert.deepEqual([counters.received, inSync], [before.received, false]);
    const resync = await scene.command('lb2', 'sync', 'resync');
    assert.notEqual(resync.exitCode, 0);
    assert.match(resync.stderr, /the peer is not connected/);
  });

  await t.test('a stop puts settings, rules and daemons back', async () => {
    await scene.end('lb1', 'SIGTERM');
    assert.equal(readSysctl('net.ipv4.vs.sync_threshold'), '3\t50');
    const rules = execFileSync('iptables-legacy', ['-S', 'OUTPUT'], { encoding: 'utf8' });
    assert.equal(rules.includes('TANDEM-SYNC'), false, rules);
    const daemons = execFileSync('ipvsadm', ['-L', '--daemon'], { encoding: 'utf8' });
    assert.equal(daemons, '');
  });
});

ipvsTest('several ports, and a peer of IPv6: connections go through all of them', async (_, t) => {
  const scene = await RelayScene.prepare(t);
  const portCount = 4;
  const { lb1, lb2 } = cableAddresses6;
  const addresses = `lb1: '${lb1}', lb2: '${lb2}'`;
  for (const node of ['lb1', 'lb2'] as const) {
    scene.writeConfig(node, (text) =>
      text
        .replace('{ mode: relay }', `{ mode: relay, ports: ${portCount} }`)
        .replace('peering: {', `peering: { addresses: { ${addresses} },`),
    );
    await scene.start(node);
  }
  assert.equal(readSysctl('net.ipv4.vs.sync_ports'), String(portCount));
  // The kernel chooses the port by the connection, so each of four has some of forty.
  for (let index = 0; index < 40; index += 1) {
    await ask(await openConnection(t, plainService), 'hello');
  }
  await sameConnections(scene);
  await scene.inSync();
  const { peer } = await scene.status('lb1');
  assert.equal(peer.configured && peer.address, `[${lb2}]:${peerPort}`);
  const ports = readUdpSockets()
    .filter(({ remote, userId }) => userId === 0 && remote.startsWith('224.0.0.81:'))
    .map(({ remote }) => remote)
    .toSorted();
  assert.deepEqual(
    ports,
    ['8848', '8849', '8850', '8851'].map((port) => `224.0.0.81:${port}`),
  );
  const { counters } = await scene.relayOf('lb2', 'all of them', ({ counters }) => {
    return counters.injected >= 40;
  });
  assert.deepEqual(Object.values(counters.dropped).filter(Boolean), []);
  await scene.end('lb1', 'SIGTERM');
  assert.equal(readSysctl('net.ipv4.vs.sync_ports'), '1');
});

/** Waits until the established connections of both kernels are the same. */
async function sameConnections(scene: RelayScene): Promise<void> {
  const established = (node: 'lb1' | 'lb2'): string =>
    scene
      .connections(node)
      .filter((row) => row.endsWith('ESTABLISHED'))
      .join('\n');
  await eventually(async () => {
    return established('lb1') !== '' && established('lb1') === established('lb2');
  }, 'both have the same connections').catch((error) => {
    throw new Error(`${String(error)}\nlb1:\n${established('lb1')}\nlb2:\n${established('lb2')}`);
  });
}

/** Records an interface into a file until the function that it gives is called. */
async function recorded(
  context: TestContext,
  interfaceName: string,
  filter: string,
  path: string,
): Promise<() => Promise<void>> {
  // As root: its own user may not write into the folder of the test.
  const args = ['-i', interfaceName, '-Z', 'root', '-U', '-s', '0', '-w', path, filter];
  const recorder = spawn('tcpdump', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  context.after(() => void recorder.kill('SIGKILL'));
  // It says that it listens when it does.
  let said = '';
  recorder.stderr.on('data', (text) => {
    said += String(text);
  });
  await eventually(async () => {
    assert.equal(recorder.exitCode, null, said);
    return said.includes('listening on');
  }, 'the recorder listens');
  return async () => {
    assert.equal(recorder.exitCode, null, 'the recorder has ended');
    const exited = once(recorder, 'exit');
    recorder.kill('SIGINT');
    await exited;
  };
}

/** An entry for a service that is there, as anybody could write one. */
function forgedMessage(): Buffer {
  const entry = {
    family: 4,
    protocol: 6,
    flags: 0,
    state: 1,
    clientPort: 6_666,
    virtualPort: 80,
    serverPort: 8080,
    firewallMark: 0,
    timeoutSeconds: 900,
    clientAddress: ipAddress('10.66.66.66'),
    virtualAddress: ipAddress('10.77.0.100'),
    serverAddress: ipAddress('10.77.0.10'),
  } as const;
  return Buffer.from(encodeSyncMessage({ version: 1, syncId: 0, entries: [entry] }));
}

/** Multicasts it as a user, from the address of an interface; gives the program's status. */
async function sendAs(
  userId: number,
  from: string,
  port: number,
  message: Buffer,
): Promise<number | null> {
  const script =
    'import socket,sys,struct\n' +
    's=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n' +
    's.setsockopt(0,32,socket.inet_aton(sys.argv[1]))\n' +
    's.connect(("224.0.0.81",int(sys.argv[2])))\n' +
    's.send(bytes.fromhex(sys.argv[3]))\n';
  const args = ['-c', script, from, String(port), message.toString('hex')];
  const sender = spawn('python3', args, { uid: userId, stdio: 'ignore' });
  const [status] = await once(sender, 'exit');
  return status;
}
