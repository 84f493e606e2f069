import assert from 'node:assert/strict';
import { join } from 'node:path';
import { unixAddress } from '../../src/kernel/serviceManager.js';
import { addressFamily, openSocket } from '../../src/kernel/socketOptions.js';
import { checked, closeDescriptor, libc } from '../../src/kernel/systemCall.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { agentConfig } from '../tools/tandemDirector.js';
import { waitFor } from '../tools/waiting.js';

const settings = { priority: 100, advertIntervalMs: 100 };
const watchdogUs = 200_000;

lanTest('the service manager hears of readiness, of life, and of the end', [], async (scene) => {
  const manager = listen(scene);
  const agent = await scene.startTandem('lb1', agentConfig(scene.lan, 'lb1', settings), {
    NOTIFY_SOCKET: manager.path,
    WATCHDOG_USEC: String(watchdogUs),
  });
  await waitFor('READY=1', () => manager.notices().some((notice) => notice.includes('READY=1')));
  const feedings = (): number =>
    manager.notices().filter((notice) => notice.includes('WATCHDOG=1')).length;
  await waitFor('the watchdog is fed more than once', () => feedings() > 2);
  assert.match(manager.notices()[0] ?? '', /^READY=1\nSTATUS=node lb1/, 'readiness comes first');
  await waitFor('the status line tells the state', () =>
    manager.notices().some((notice) => /STATUS=node lb1: vip active/.test(notice)),
  );
  assert.equal(manager.notices().join().includes('STOPPING=1'), false);

  await agent.end();
  const notices = manager.notices();
  assert.ok(notices.at(-1)?.includes('STOPPING=1'), 'nothing follows the end');
  assert.equal(notices.filter((notice) => notice.includes('READY=1')).length, 1);
});

lanTest('an agent that cannot start never says that it is ready', [], async (scene) => {
  const manager = listen(scene);
  const config = agentConfig(scene.lan, 'lb1', settings).replace('eth0', 'eth7');
  const failing = scene.startTandem('lb1', config, { NOTIFY_SOCKET: manager.path });
  await assert.rejects(failing, /has ended/);
  assert.deepEqual(manager.notices(), []);
});

/** A real datagram socket, as the service manager has one. */
function listen(scene: LanScene): { readonly path: string; notices(): readonly string[] } {
  const path = join(scene.lan.folder, 'notify');
  const fd = openSocket(addressFamily.unix, 'datagram', 0, {});
  scene.context.after(() => closeDescriptor(fd));
  const address = unixAddress(path);
  checked(libc.bind(fd, address, address.length), 'bind');
  const heard: string[] = [];
  const datagram = Buffer.alloc(4_096);
  return {
    path,
    notices: () => {
      for (;;) {
        const length = libc.read(fd, datagram, datagram.length);
        if (length < 0) return heard;
        heard.push(datagram.toString('utf8', 0, length));
      }
    },
  };
}
