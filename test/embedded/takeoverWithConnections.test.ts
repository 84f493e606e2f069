/** What clients see of a crash and of the return of the crashed director. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { eventually, ipvsTest } from './ipvsSupport.js';
import { Client, clientAddress, clientAddressesMax, TakeoverLab } from './takeoverSupport.js';

const downloadCount = 200;
const idleCount = 50;
const ports = { plain: 80, persistent: 81 } as const;

ipvsTest('connections survive a crash, and the return of the crashed director', async (_, t) => {
  const lab = await TakeoverLab.prepare(t);
  await lab.start('lb1');
  await lab.active('lb1');
  const downloads = await opened(t, downloadCount, () => new Client(t, ports.plain));
  for (const download of downloads) download.say('stream');
  // They never say a word before the second takeover is over.
  const idle = await opened(t, idleCount, () => new Client(t, ports.plain));
  const servers = await askPersistent(t);
  await eventually(async () => downloads.every(({ pieces }) => pieces > 1), 'downloads flow');

  await t.test('a director that joins late knows all of them', async () => {
    await lab.start('lb2');
    const entries = downloadCount + idleCount + clientAddressesMax;
    const { connectionSync } = await lab.until('lb2', 'is in sync', ({ connectionSync }) => {
      const { relay } = connectionSync;
      return relay?.inSync === true && relay.tableEntries >= entries;
    });
    t.diagnostic(`bulk: ${JSON.stringify(connectionSync.relay?.lastBulk)}`);
  });

  await t.test('crash: downloads go on and persistent clients keep their server', async () => {
    await lab.crash('lb1');
    await lab.active('lb2');
    const survived = await flowAgain(downloads);
    t.diagnostic(`downloads that survived the crash: ${survived} of ${downloadCount}`);
    assert.equal(survived, downloadCount);
    assert.deepEqual(await askPersistent(t), servers);
  });

  await t.test('the master returns with an empty table, and waits for it', async () => {
    await lab.start('lb1');
    const { connectionSync } = await lab.active('lb1');
    assert.equal(connectionSync.relay?.holding, false);
    assert.equal(connectionSync.relay?.phase, 'received');
    const survived = await flowAgain(downloads);
    t.diagnostic(`downloads that survived the return: ${survived} of ${downloadCount}`);
    assert.equal(survived, downloadCount);
    assert.deepEqual(await askPersistent(t), servers);
  });

  await t.test('connections that were idle all the time are answered', async () => {
    for (const client of idle) client.say('hello');
    const isAnswered = ({ server }: Client): boolean => server !== undefined;
    await eventually(
      async () => idle.every((client) => client.ended || isAnswered(client)),
      'ends',
    );
    assert.equal(idle.filter(isAnswered).length, idleCount);
  });
});

/** Opens them and waits until every one is connected. */
async function opened(
  context: TestContext,
  count: number,
  open: (index: number) => Client,
): Promise<readonly Client[]> {
  const clients = Array.from({ length: count }, (_, index) => open(index));
  await eventually(
    async () => clients.every(({ isConnected }) => isConnected),
    `${count} connections`,
  );
  context.diagnostic(`${count} connections opened`);
  return clients;
}

/** Each client with an address of its own asks anew; gives the server of each. */
async function askPersistent(context: TestContext): Promise<readonly (string | undefined)[]> {
  const clients = await opened(context, clientAddressesMax, (index) => {
    return new Client(context, ports.persistent, clientAddress(index));
  });
  for (const client of clients) client.say('who');
  await eventually(
    async () => clients.every(({ server, ended }) => server !== undefined || ended),
    'persistent clients are answered',
  );
  for (const client of clients) client.close();
  return clients.map(({ server }) => server);
}

/** How many downloads get something new; a takeover costs a few retransmissions. */
async function flowAgain(downloads: readonly Client[]): Promise<number> {
  const before = downloads.map(({ pieces }) => pieces);
  const flows = (index: number): boolean => (downloads[index]?.pieces ?? 0) > (before[index] ?? 0);
  await eventually(
    async () => downloads.every(({ ended }, index) => ended || flows(index)),
    'every download goes on or has ended',
  );
  return downloads.filter((_, index) => flows(index)).length;
}
