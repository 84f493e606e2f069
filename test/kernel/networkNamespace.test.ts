import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { TandemError } from '../../src/errors.js';
import {
  createNetworkNamespace,
  currentNetworkNamespaceFd,
  openNetworkNamespace,
  removeNetworkNamespace,
} from '../../src/kernel/networkNamespace.js';
import { openRouteNetlink } from '../../src/kernel/routeNetlink.js';
import { readSysctl, writeSysctl } from '../../src/kernel/sysctl.js';
import { closeDescriptor } from '../../src/kernel/systemCall.js';
import { rootTest } from './support/rootTest.js';
import { temporaryNamespace } from './support/vethPair.js';

const current = () => readlinkSync('/proc/thread-self/ns/net');

rootTest('a function runs inside and its thread comes back', (context) => {
  const namespace = temporaryNamespace(context);
  const home = current();
  const inside = namespace.run(current);
  assert.notEqual(inside, home);
  assert.equal(current(), home);
  assert.equal(namespace.run(current), inside);
});

rootTest('the thread comes back when the function throws', (context) => {
  const namespace = temporaryNamespace(context);
  const home = current();
  const failure = new Error('inside');
  assert.throws(
    () =>
      namespace.run(() => {
        throw failure;
      }),
    failure,
  );
  assert.equal(current(), home);
});

rootTest('namespaces nest', (context) => {
  const outer = temporaryNamespace(context);
  const inner = temporaryNamespace(context);
  const [first, second, third] = outer.run(() => [current(), inner.run(current), current()]);
  assert.equal(first, third);
  assert.notEqual(first, second);
});

rootTest('a namespace is one that ip netns knows, with lo up, until it is removed', async () => {
  const namespace = createNetworkNamespace(`tandem-test-${process.pid}`);
  try {
    const listed = await output(namespace.spawn('ip', ['netns', 'list']));
    assert.match(listed, new RegExp(`^${namespace.name}\\b`, 'm'));
    const identified = await output(namespace.spawn('ip', ['netns', 'identify']));
    assert.equal(identified.trim(), namespace.name);
    const netlink = namespace.run(openRouteNetlink);
    assert.equal(netlink.link('lo')?.running, true);
    netlink.close();
    assert.throws(
      () => createNetworkNamespace(namespace.name),
      (error) => error instanceof TandemError && error.errnoName === 'EEXIST',
    );
    assert.equal(namespace.run(current), namespace.run(current), 'the failed one did no harm');
  } finally {
    namespace.remove();
  }
  assert.equal(existsSync(namespace.path), false);
  assert.throws(
    () => openNetworkNamespace(namespace.name),
    (error) =>
      error instanceof TandemError &&
      error.errnoName === 'ENOENT' &&
      error.message.includes(namespace.name),
  );
});

rootTest('one made by ip netns can be opened, and removed by name', async (context) => {
  const home = temporaryNamespace(context);
  const name = `${home.name}-ip`;
  await output(home.spawn('ip', ['netns', 'add', name]));
  const namespace = openNetworkNamespace(name);
  assert.notEqual(namespace.run(current), current());
  namespace.close();
  removeNetworkNamespace(name);
  assert.equal(existsSync(namespace.path), false);
  assert.throws(() => removeNetworkNamespace(name), TandemError);
});

rootTest('a process is started inside, and the starter stays outside', async (context) => {
  const namespace = temporaryNamespace(context);
  const home = current();
  const child = namespace.spawn('readlink', ['/proc/self/ns/net']);
  assert.equal(current(), home);
  assert.equal((await output(child)).trim(), namespace.run(current));
});

rootTest('kernel parameters are those of the namespace that the thread is in', (context) => {
  const namespace = temporaryNamespace(context);
  const outside = readSysctl('net.ipv4.ip_default_ttl');
  namespace.run(() => writeSysctl('net.ipv4.ip_default_ttl', 77));
  assert.equal(readSysctl('net.ipv4.ip_default_ttl'), outside);
  assert.equal(
    namespace.run(() => readSysctl('net.ipv4.ip_default_ttl')),
    '77',
  );
  assert.throws(
    () => namespace.run(() => writeSysctl('net.ipv4.ip_default_ttl', 'many')),
    (error) =>
      error instanceof TandemError &&
      error.errnoName === 'EINVAL' &&
      error.message.includes('net.ipv4.ip_default_ttl = many'),
  );
});

rootTest('the descriptor of the current namespace leads back to it', (context) => {
  const namespace = temporaryNamespace(context);
  const fd = namespace.run(currentNetworkNamespaceFd);
  assert.equal(readlinkSync(`/proc/self/fd/${fd}`), namespace.run(current));
  closeDescriptor(fd);
});

async function output(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout !== null);
  return await text(child.stdout);
}
