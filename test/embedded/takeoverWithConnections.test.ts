/** What clients see of a crash and of the return of the crashed director. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, ipvsTest } from './ipvsSupport.js';
import {
  askPersistent,
  Client,
  clientAddressesMax,
  downloadCount,
  opened,
  openedDownloads,
  survivors,
} from './takeoverClients.js';
import { type Forwarding, ports } from './takeoverConfigs.js';
import { TakeoverLab } from './takeoverSupport.js';

const forwardings = ['nat', 'dr'] as const satisfies readonly Forwarding[];

const idleCount = 50;
/** How long the idle connections say nothing, in milliseconds. */
const silenceMs = 60_000;

/** What is looked at again after each takeover. */
interface Held {
  readonly downloads: readonly Client[];
  readonly servers: readonly (string | undefined)[];
}

/** What is left of it. */
interface Survived {
  readonly downloads: number;
  readonly persistentClients: number;
}

const everything: Survived = {
  downloads: downloadCount,
  persistentClients: clientAddressesMax,
};

ipvsTest('connections survive a crash, and the return of the crashed director', async (_, t) => {
  const lab = await TakeoverLab.prepare(t);
  await lab.start('lb1');
  await lab.active('lb1');
  // They never say a word before the second takeover is over.
  const idle = await opened(idleCount, () => new Client(t, ports.nat.plain));
  const idleDirect = await opened(idleCount, () => new Client(t, ports.dr.plain));
  const silentSinceMs = performance.now();
  const held = await hold(t);

  await t.test('a director that joins late knows all of them', async () => {
    await lab.start('lb2');
    const entries = 2 * (downloadCount + idleCount + clientAddressesMax);
    const { connectionSync } = await lab.until('lb2', 'is in sync', ({ connectionSync }) => {
      const { relay } = connectionSync;
      return relay?.inSync === true && relay.tableEntries >= entries;
    });
    t.diagnostic(`bulk: ${JSON.stringify(connectionSync.relay?.lastBulk)}`);
  });

  await t.test('crash: downloads go on and persistent clients keep their server', async () => {
    await lab.crash('lb1');
    await lab.active('lb2');
    for (const forwarding of forwardings) {
      const survived = await look(t, 'the crash', forwarding, held[forwarding]);
      assert.deepEqual(survived, everything, forwarding);
    }
  });

  await t.test('the master returns with an empty table, and waits for it', async () => {
    await lab.start('lb1');
    const status = await lab.active('lb1');
    assert.equal(status?.connectionSync.relay?.holding, false);
    assert.equal(status?.connectionSync.relay?.phase, 'received');
    for (const forwarding of forwardings) {
      const survived = await look(t, 'the return', forwarding, held[forwarding]);
      assert.deepEqual(survived, everything, forwarding);
    }
  });

  await t.test(
    'a failover waits for a peer that does not know all, unless it is forced',
    async () => {
      await lab.until('lb1', 'is in sync', ({ connectionSync }) => {
        return connectionSync.relay?.inSync === true;
      });
      await lab.crash('lb2', 'program');
      await lab.until('lb1', 'misses the peer', ({ connectionSync }) => {
        return connectionSync.relay?.inSync === false;
      });
      const forced = await lab.command('lb1', 'failover', '--for', '1s', '--force');
      assert.equal(forced.exitCode, 0, forced.output);
      assert.match(forced.output, /nobody has taken over yet/);
      const stepDown = lab.command('lb1', 'failover', '--for', '1m');
      await lab.start('lb2');
      await lab.active('lb2');
      const { exitCode, output } = await stepDown;
      assert.equal(exitCode, 0, output);
      const { connectionSync } = await lab.until('lb2', 'answers', () => true);
      assert.equal(connectionSync.relay?.phase, 'received');
      for (const forwarding of forwardings) {
        const survived = await look(t, 'the failover', forwarding, held[forwarding]);
        assert.deepEqual(survived, everything, forwarding);
      }
    },
  );

  await t.test('connections that were silent for a minute are answered', async () => {
    await sleep(Math.max(0, silentSinceMs + silenceMs - performance.now()));
    const silentMs = performance.now() - silentSinceMs;
    assert.ok(silentMs >= silenceMs, `${silentMs} ms`);
    const counts = [await survivors(idle), await survivors(idleDirect)];
    t.diagnostic(`silent for ${Math.round(silentMs / 1000)} s, answered: ${counts.join(' and ')}`);
    assert.deepEqual(counts, [idleCount, idleCount]);
  });
});

ipvsTest('beside it: keepalived with the sync of the kernel', async (_, t) => {
  const lab = await TakeoverLab.prepare(t);
  await lab.start('lb1', 'keepalived');
  await lab.active('lb1');
  // Unlike ours above, this one is there before the connections: nothing else would tell it.
  await lab.start('lb2', 'keepalived');
  await lab.listens('lb2');
  const idle = await opened(idleCount, () => new Client(t, ports.nat.plain));
  const held = await hold(t);
  await eventually(async () => {
    return lab.established('lb2') >= lab.established('lb1') / 2;
  }, 'the kernel has told most of them');

  let kept = 0;
  await lab.crash('lb1');
  await lab.active('lb2');
  for (const forwarding of forwardings) {
    const survived = await look(t, 'the crash', forwarding, held[forwarding]);
    kept += survived.downloads;
  }
  // Had the kernel told the peer of nothing, the numbers that follow would compare with nothing.
  assert.ok(kept >= downloadCount / 2, `${kept} downloads survived the crash`);
  await lab.start('lb1', 'keepalived');
  await lab.active('lb1');
  // How many survive this depends on how much is sent before it takes over: they are only counted.
  for (const forwarding of forwardings) await look(t, 'the return', forwarding, held[forwarding]);
  // These have said as little as ours above, and for a shorter time.
  const answered = await survivors(idle);
  t.diagnostic(`silent connections: ${answered} of ${idleCount} are answered`);
});

/** Opens downloads through both ways of forwarding, and learns the servers of the others. */
async function hold(context: TestContext): Promise<Record<Forwarding, Held>> {
  const open = async (forwarding: Forwarding): Promise<Held> => ({
    downloads: await openedDownloads(context, forwarding),
    servers: await askPersistent(context, forwarding),
  });
  return { nat: await open('nat'), dr: await open('dr') };
}

/** Counts what is left after something has happened, and says it. */
async function look(
  context: TestContext,
  after: string,
  forwarding: Forwarding,
  { downloads, servers }: Held,
): Promise<Survived> {
  const flowing = await survivors(downloads);
  const asked = await askPersistent(context, forwarding);
  const kept = asked.filter((server, index) => server === servers[index]).length;
  context.diagnostic(
    `after ${after}, ${forwarding}: ${flowing} of ${downloads.length} downloads go on, ` +
      `${kept} of ${servers.length} persistent clients keep their server`,
  );
  return { downloads: flowing, persistentClients: kept };
}
