/** Two real agents and the channel between them, on a cable of its own beside the LAN. */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PeerStatus } from '../../src/api/statusModel.js';
import { statusText } from '../../src/cli/statusText.js';
import { openRouteNetlink } from '../../src/kernel/routeNetlink.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { peerProtocolVersionMin } from '../../src/wire/peerMessage.js';
import { type DirectorName, directors, virtualAddress } from '../tools/lan.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { highPriority, lowPriority } from '../tools/startDirector.js';
import { agentConfig, type TandemDirector } from '../tools/tandemDirector.js';
import { waitFor } from '../tools/waiting.js';
import { keyA, makeSettings, WatchedPeer } from '../unit/peer/support.js';
import { addCable, indexOf } from './support/vethPair.js';

const advertIntervalMs = 200;
const channelAddresses = { lb1: '198.51.100.1', lb2: '198.51.100.2' } as const;
const channelPort = 8850;
const keys = { a: `a:${'11'.repeat(32)}`, b: `b:${'22'.repeat(32)}` } as const;

type Channel = Extract<PeerStatus, { configured: true }>;

/** Joins the directors by a cable that carries no VRRP. */
function addChannelCable(scene: LanScene): void {
  const [one, two] = directors.map((node) => scene.lan.namespace(node));
  assert.ok(one !== undefined && two !== undefined);
  const netlinks = [one.run(openRouteNetlink), two.run(openRouteNetlink)] as const;
  try {
    addCable(netlinks[0], two, netlinks[1], 'eth9');
    for (const [index, node] of directors.entries()) {
      const netlink = netlinks[index] ?? netlinks[0];
      const prefix = { address: ipAddress(channelAddresses[node]), length: 24 };
      const interfaceIndex = indexOf(netlink, 'eth9');
      const [error] = netlink.changeAddresses([{ action: 'add', interfaceIndex, prefix }]);
      if (error !== undefined) throw error;
    }
  } finally {
    for (const netlink of netlinks) netlink.close();
  }
}

function keyPath(scene: LanScene, node: DirectorName): string {
  return join(scene.lan.folder, `${node}.key`);
}

function writeKeys(scene: LanScene, node: DirectorName, lines: readonly string[]): void {
  writeFileSync(keyPath(scene, node), `${lines.join('\n')}\n`);
  chmodSync(keyPath(scene, node), 0o600);
}

/** A configuration with the channel. */
function peeredConfig(scene: LanScene, node: DirectorName): string {
  const { lb1, lb2 } = channelAddresses;
  const priority = node === 'lb1' ? highPriority : lowPriority;
  return [
    agentConfig(scene.lan, node, { priority, advertIntervalMs }),
    'peering:\n',
    `  key: { file: ${keyPath(scene, node)} }\n`,
    `  addresses: { lb1: ${lb1}, lb2: ${lb2} }\n`,
  ].join('');
}

type Pair = Readonly<Record<DirectorName, TandemDirector>>;

/** Starts both agents; lb1 is Active. */
async function startPair(
  scene: LanScene,
  change: (config: string, node: DirectorName) => string = (config) => config,
): Promise<Pair> {
  const start = (node: DirectorName) =>
    scene.startTandem(node, change(peeredConfig(scene, node), node));
  const lb1 = await start('lb1');
  await scene.waitForHolder('lb1');
  const lb2 = await start('lb2');
  return { lb1, lb2 };
}

async function waitForChannel(
  director: TandemDirector,
  what: string,
  isWanted: (peer: Channel) => boolean,
): Promise<Channel> {
  const { peer } = await director.waitForStatus(
    `${director.node}: ${what}`,
    (status) => status.peer.configured && isWanted(status.peer),
  );
  assert.ok(peer.configured);
  return peer;
}

/** Waits until both have a channel that is as wanted. */
function bothChannels(
  { lb1, lb2 }: Pair,
  what: string,
  isWanted: (peer: Channel) => boolean,
): Promise<readonly Channel[]> {
  return Promise.all([lb1, lb2].map((director) => waitForChannel(director, what, isWanted)));
}

const plainText = (_tone: string, text: string): string => text;

lanTest('each director shows the other, with the state of its routers', [], async (scene) => {
  addChannelCable(scene);
  for (const node of directors) writeKeys(scene, node, [keys.a]);
  const pair = await startPair(scene);
  const [one, two] = await bothChannels(
    pair,
    'a peer whose routers are known',
    ({ connected, routers, heartbeatLagMs }) =>
      connected && routers?.[0] !== undefined && heartbeatLagMs !== null,
  );
  assert.equal(one?.address, `${channelAddresses.lb2}:8850`);
  assert.deepEqual([one?.peer?.node, two?.peer?.node], ['lb2', 'lb1']);
  assert.deepEqual(one?.drift, []);
  await waitForChannel(pair.lb2, 'lb1 as the Active', ({ routers }) => {
    return routers?.[0]?.state === 'active' && routers[0].effectivePriority === highPriority;
  });
  const text = statusText(await pair.lb2.status(), plainText);
  assert.match(text, /peer lb1 {2}connected \d+s with 198\.51\.100\.1:\d+/);
  assert.match(text, /^ {2}vip +51 +active .* 150 +192\.0\.2\.100\/24$/m);
});

lanTest('a split brain is seen over the channel, told, and its end too', [], async (scene) => {
  addChannelCable(scene);
  for (const node of directors) writeKeys(scene, node, [keys.a]);
  const pair = await startPair(scene);
  await scene.staysWith('lb1', advertIntervalMs);
  await bothChannels(pair, 'a connection', ({ connected }) => connected);
  assert.deepEqual((await waitForChannel(pair.lb1, 'any', () => true)).splitBrain, []);
  // The advertisements of lb2 go nowhere, while the channel's cable is whole.
  scene.lan.setApart('lb2', true);
  await waitFor('both Active', () => scene.lan.holders().length === 2);
  const split = await bothChannels(pair, 'a split brain', (peer) => peer.splitBrain.length > 0);
  for (const { splitBrain, connected } of split) {
    assert.equal(connected, true);
    assert.deepEqual(
      splitBrain.map(({ router, vrid, reason }) => [router, vrid, reason]),
      [['vip', 51, 'split-brain']],
    );
  }
  const text = statusText(await pair.lb1.status(), plainText);
  assert.match(text, /split brain: both directors are Active for vip since/);
  for (const director of [pair.lb1, pair.lb2]) await director.waitForLog('split brain: lb');
  // Seeing it changes nothing: both go on, as VRRP says.
  assert.equal(scene.lan.holders().length, 2);
  scene.lan.setApart('lb2', false);
  await scene.waitForHolder('lb1');
  await bothChannels(pair, 'no split brain', (peer) => peer.splitBrain.length === 0);
  await pair.lb1.waitForLog('the split brain of vip is over');
});

lanTest('two configurations that differ are told, and elect one Active', [], async (scene) => {
  addChannelCable(scene);
  for (const node of directors) writeKeys(scene, node, [keys.a]);
  const more = (config: string) => config.replace('addresses: [', 'addresses: [192.0.2.77/24, ');
  const pair = await startPair(scene, (config, node) => (node === 'lb2' ? more(config) : config));
  const [one, two] = await bothChannels(pair, 'a difference', ({ drift }) => drift.length > 0);
  assert.deepEqual(one?.drift, ['router vip: address 192.0.2.77/24 only there']);
  assert.deepEqual(two?.drift, ['router vip: address 192.0.2.77/24 only here']);
  await pair.lb1.waitForLog('the configuration of lb2 differs: router vip: address 192.0.2.77/24');
  await scene.staysWith('lb1', advertIntervalMs);
  assert.equal(scene.lan.hasAddress('lb2', ipAddress('192.0.2.77')), false);
  // Each holds what its own list says: the new address is served as soon as lb2 is Active.
  await pair.lb1.stop();
  await scene.waitForHolder('lb2');
  await waitFor('both addresses', () => scene.lan.hasAddress('lb2', ipAddress('192.0.2.77')));
  assert.equal(scene.lan.hasAddress('lb2', virtualAddress), true);
});

lanTest('a difference ends with the reload that ends it', [], async (scene) => {
  addChannelCable(scene);
  for (const node of directors) writeKeys(scene, node, [keys.a]);
  const slower = (config: string) => config.replace('advertInterval: 200ms', 'advertInterval: 1s');
  const pair = await startPair(scene, (config, node) => (node === 'lb2' ? slower(config) : config));
  const [one] = await bothChannels(pair, 'a difference', ({ drift }) => drift.length > 0);
  assert.deepEqual(one?.drift, ['router vip: advertInterval 200ms here, 1s there']);
  pair.lb2.writeConfig(peeredConfig(scene, 'lb2'));
  pair.lb2.signal('SIGHUP');
  await bothChannels(
    pair,
    'no difference',
    ({ connected, drift }) => connected && drift.length === 0,
  );
  await pair.lb1.waitForLog('the configuration of lb2 agrees with ours again');
});

lanTest('a wrong key is shown by both, and the election goes on', [], async (scene) => {
  addChannelCable(scene);
  writeKeys(scene, 'lb1', [keys.a]);
  writeKeys(scene, 'lb2', [keys.b]);
  const pair = await startPair(scene);
  const [one, two] = await bothChannels(pair, 'a refusal', ({ refused }) => refused !== null);
  assert.deepEqual([one?.refused?.reason, one?.refused?.by], ['wrong-key', 'peer']);
  assert.deepEqual([two?.refused?.reason, two?.refused?.by], ['wrong-key', 'this-node']);
  await scene.staysWith('lb1', advertIntervalMs);
  const text = statusText(await pair.lb1.status(), plainText);
  assert.match(text, /the peer refused this node \d+s ago: wrong-key/);
});

lanTest('another cluster is refused, and the status of both says why', [], async (scene) => {
  addChannelCable(scene);
  for (const node of directors) writeKeys(scene, node, [keys.a]);
  const renamed = (config: string) => config.replace(/^cluster: .*$/m, 'cluster: shop');
  const pair = await startPair(scene, (config, node) =>
    node === 'lb2' ? renamed(config) : config,
  );
  const channels = await bothChannels(pair, 'a refusal', ({ refused }) => refused !== null);
  for (const { refused, connected } of channels) {
    assert.equal(refused?.reason, 'wrong-cluster');
    assert.match(refused.detail, /shop/);
    assert.equal(connected, false);
  }
  for (const director of [pair.lb1, pair.lb2]) {
    assert.match(statusText(await director.status(), plainText), /wrong-cluster/);
  }
});

lanTest('a peer of an old version is refused, and both sides say why', [], async (scene) => {
  addChannelCable(scene);
  writeKeys(scene, 'lb1', [keys.a]);
  const lb1 = await scene.startTandem('lb1', peeredConfig(scene, 'lb1'));
  await scene.waitForHolder('lb1');
  // The other director's thread of the channel alone, as the program of an older version had it.
  const { lb1: peer, lb2: own } = channelAddresses;
  const settings = makeSettings('lb2', channelPort, {
    protocolVersion: peerProtocolVersionMin - 1,
    cluster: 'lan',
    paths: [{ own: ipAddress(own), peer: ipAddress(peer) }],
    keys: [keyA],
  });
  const old = new WatchedPeer(scene.context, settings, scene.lan.namespace('lb2').path);
  const refusal = await old.waitFor('a refusal', ({ refused }) => refused !== null);
  const channel = await waitForChannel(lb1, 'a refusal', ({ refused }) => refused !== null);
  assert.deepEqual([refusal.refused?.by, channel.refused?.by], ['peer', 'this-node']);
  for (const { refused, connected } of [refusal, channel]) {
    assert.equal(refused?.reason, 'protocol-version-too-old');
    assert.equal(refused.detail, `version 0, and lb1 needs ${peerProtocolVersionMin}`);
    assert.equal(connected, false);
  }
  const text = statusText(await lb1.status(), plainText);
  assert.match(text, /this node refused the peer \d+s ago: protocol-version-too-old/);
  await scene.staysWith('lb1', advertIntervalMs);
  // The same director with a program of this version is taken.
  old.configure({ ...settings, protocolVersion: peerProtocolVersionMin });
  await old.connected();
  await waitForChannel(lb1, 'a connection', ({ connected, refused }) => {
    return connected && refused === null;
  });
});

lanTest('a new key is brought in by three reloads of each', [], async (scene) => {
  addChannelCable(scene);
  for (const node of directors) writeKeys(scene, node, [keys.a]);
  const pair = await startPair(scene);
  await bothChannels(pair, 'the old key', ({ connected, keyId }) => connected && keyId === 'a');
  const load = async (lines: readonly string[]) => {
    for (const node of directors) {
      writeKeys(scene, node, lines);
      const { exitCode, stderr } = await pair[node].command(
        'reload',
        '--socket',
        pair[node].files.socketPath,
      );
      assert.equal(exitCode, 0, stderr);
    }
  };
  await load([keys.a, keys.b]);
  await load([keys.b, keys.a]);
  const [kept] = await bothChannels(pair, 'a connection', ({ connected }) => connected);
  assert.equal(kept?.keyId, 'a', 'the connection of before goes on');
  await load([keys.b]);
  const renewed = await bothChannels(
    pair,
    'the new key',
    ({ connected, keyId }) => connected && keyId === 'b',
  );
  for (const { refused } of renewed) assert.equal(refused, null);
});

lanTest('a key that others can read is refused, at start and at reload', [], async (scene) => {
  addChannelCable(scene);
  writeKeys(scene, 'lb1', [keys.a]);
  const lb1 = await scene.startTandem('lb1', peeredConfig(scene, 'lb1'));
  chmodSync(keyPath(scene, 'lb1'), 0o644);
  const reload = await lb1.command('reload', '--socket', lb1.files.socketPath);
  assert.notEqual(reload.exitCode, 0);
  assert.match(reload.stderr, /is open to others \(mode 0644\)/);
  assert.equal((await lb1.status()).configuration.lastReload?.ok, false);
  await scene.waitForHolder('lb1');
  await lb1.stop();
  const { files } = lb1;
  const start = await lb1.command('run', '-c', files.configPath, '--node', 'lb1');
  assert.equal(start.exitCode, 2, start.stderr);
  assert.match(start.stderr, /is open to others \(mode 0644\)/);
  assert.deepEqual(scene.lan.holders(), []);
});

lanTest('without peering the status says what is missing', [], async (scene) => {
  const settings = { priority: highPriority, advertIntervalMs };
  const lb1 = await scene.startTandem('lb1', settings);
  const status = await lb1.status();
  assert.equal(status.peer.configured, false);
  assert.equal(status.threads.peer, undefined);
  assert.match(statusText(status, plainText), /peer: no channel \(plain VRRP: a split brain/);
});
