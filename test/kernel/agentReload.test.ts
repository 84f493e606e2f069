import assert from 'node:assert/strict';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { virtualAddress } from '../tools/lan.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { agentConfig, type TandemDirector } from '../tools/tandemDirector.js';
import { waitFor } from '../tools/waiting.js';

const advertIntervalMs = 100;
const settings = { priority: 200, advertIntervalMs };
const addedAddress = ipAddress('192.0.2.110');

type Reload = (
  agent: TandemDirector,
) => Promise<{ readonly failed: boolean; readonly text: string }>;

/** By command the answer is the command's, by signal it is in the status. */
const ways: Readonly<Record<string, Reload>> = {
  'tandem reload': async (agent) => {
    const result = await agent.command('reload', '--socket', agent.files.socketPath);
    assert.ok(result.exitCode === 0 || result.exitCode === 2, `exit code ${result.exitCode}`);
    return { failed: result.exitCode === 2, text: result.stdout + result.stderr };
  },
  SIGHUP: async (agent) => {
    const before = (await agent.status()).configuration.lastReload?.atUnixMs ?? 0;
    agent.signal('SIGHUP');
    const status = await agent.waitForStatus('the reload is over', ({ configuration }) => {
      return (configuration.lastReload?.atUnixMs ?? 0) > before;
    });
    const { lastReload } = status.configuration;
    return { failed: lastReload?.ok === false, text: lastReload?.message ?? '' };
  },
};

for (const [way, reload] of Object.entries(ways)) {
  lanTest(`${way}: an added address appears without a transition`, [], async (scene) => {
    const { agent, config } = await startActive(scene);
    const before = await agent.status();
    agent.writeConfig(withAddress(config));
    const outcome = await reload(agent);
    assert.equal(outcome.failed, false, outcome.text);
    await waitFor('the added address', () => scene.lan.hasAddress('lb1', addedAddress));
    await waitFor('its announcement', () =>
      scene
        .frames()
        .some((frame) => frame.kind === 'gratuitous-arp' && frame.address === addedAddress),
    );
    const after = await agent.status();
    assert.deepEqual(after.virtualRouters[0]?.transitions, before.virtualRouters[0]?.transitions);
    assert.equal(after.configuration.lastReload?.ok, true);
    assertAddressStayed(scene);

    agent.writeConfig(config);
    assert.equal((await reload(agent)).failed, false);
    await waitFor('it goes again', () => !scene.lan.hasAddress('lb1', addedAddress));
    assertAddressStayed(scene);
  });

  lanTest(
    `${way}: a file with a mistake changes nothing and says where it is`,
    [],
    async (scene) => {
      const { agent, config } = await startActive(scene);
      // A good change beside the mistake must not be applied either.
      agent.writeConfig(withAddress(config).replace('vrid: 51', 'vrid: 351'));
      const outcome = await reload(agent);
      assert.equal(outcome.failed, true, outcome.text);
      const position = positionOf(withAddress(config).replace('vrid: 51', 'vrid: 351'), '351');
      assert.ok(outcome.text.includes(`${agent.files.configPath}:${position} `), outcome.text);
      assert.match(outcome.text, /virtualRouters\[0\]\.vrid: .*255/);
      await scene.staysWith('lb1', advertIntervalMs);
      assertAddressStayed(scene);
      const status = await agent.status();
      assert.equal(status.configuration.lastReload?.ok, false);
      assert.equal(status.virtualRouters[0]?.vrid, 51);
      assert.equal(status.virtualRouters[0].addresses.length, 1);

      agent.writeConfig(withAddress(config));
      assert.equal(
        (await reload(agent)).failed,
        false,
        'a refused file does not keep out a good one',
      );
      await waitFor('the added address', () => scene.lan.hasAddress('lb1', addedAddress));
    },
  );

  lanTest(`${way}: an interface that is missing changes nothing`, [], async (scene) => {
    const { agent, config } = await startActive(scene);
    const next = withAddress(config);
    agent.writeConfig(next.replace('    priority:', '    interface: eth7\n    priority:'));
    const outcome = await reload(agent);
    assert.equal(outcome.failed, true, outcome.text);
    assert.match(outcome.text, /no such interface: eth7/);
    await scene.staysWith('lb1', advertIntervalMs);
    assertAddressStayed(scene);
    assert.equal(scene.lan.hasAddress('lb1', addedAddress), false);
  });
}

lanTest('reloading a file that has not changed changes nothing', [], async (scene) => {
  const { agent } = await startActive(scene);
  const before = (await agent.status()).virtualRouters[0];
  const announcements = scene.announcementsOf('lb1').length;
  const outcome = await ways['tandem reload']?.(agent);
  assert.equal(outcome?.failed, false);
  await scene.staysWith('lb1', advertIntervalMs);
  const after = (await agent.status()).virtualRouters[0];
  assert.deepEqual(after?.transitions, before?.transitions);
  assert.equal(scene.announcementsOf('lb1').length, announcements, 'nothing is announced again');
  assertAddressStayed(scene);
});

async function startActive(scene: LanScene) {
  const config = agentConfig(scene.lan, 'lb1', settings);
  const agent = await scene.startTandem('lb1', config);
  await scene.waitForHolder('lb1');
  await scene.staysWith('lb1', advertIntervalMs);
  return { agent, config };
}

/** Since the agent became Active, its address has not been away for a moment. */
function assertAddressStayed(scene: LanScene): void {
  assert.ok(scene.lan.hasAddress('lb1', virtualAddress));
  const changes = scene.ownership().filter((look, index, looks) => {
    return look.holders.join() !== looks[index - 1]?.holders.join();
  });
  assert.deepEqual(
    changes.map(({ holders }) => holders),
    [[], ['lb1']],
  );
}

function withAddress(config: string): string {
  return config.replace('[192.0.2.100/24]', `[192.0.2.100/24, ${addedAddress}/24]`);
}

/** The first place of a text as `line:column`, both counted from 1. */
function positionOf(text: string, wanted: string): string {
  const before = text.slice(0, text.indexOf(wanted)).split('\n');
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}
