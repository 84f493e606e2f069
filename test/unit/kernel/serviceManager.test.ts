import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TandemError } from '../../../src/errors.js';
import { pollReadable } from '../../../src/kernel/pollLoop.js';
import {
  formatServiceNotice,
  notifyServiceManager,
  unixAddress,
  watchdogInterval,
} from '../../../src/kernel/serviceManager.js';
import { addressFamily, openSocket } from '../../../src/kernel/socketOptions.js';
import { checked, closeDescriptor, libc } from '../../../src/kernel/systemCall.js';

/** Listens as a service manager would, and puts the name into the environment. */
function listen(context: TestContext, path: string): () => string | undefined {
  const fd = openSocket(addressFamily.unix, 'datagram', 0, {});
  const address = unixAddress(path);
  checked(libc.bind(fd, address, address.length), 'bind');
  process.env.NOTIFY_SOCKET = path;
  context.after(() => {
    delete process.env.NOTIFY_SOCKET;
    closeDescriptor(fd);
  });
  return () => {
    pollReadable([fd], 0);
    const text = Buffer.alloc(1000);
    const length = libc.read(fd, text, text.length);
    return length < 0 ? undefined : text.toString('utf8', 0, length);
  };
}

test('a service manager at a path hears the notices', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const receive = listen(context, join(folder, 'notify'));
  assert.equal(notifyServiceManager({ ready: true, status: 'Backup of outside' }), true);
  assert.equal(notifyServiceManager({ watchdog: true }), true);
  assert.equal(receive(), 'READY=1\nSTATUS=Backup of outside');
  assert.equal(receive(), 'WATCHDOG=1');
});

test('a service manager at an abstract name hears the notices', (context) => {
  const receive = listen(context, `@tandem-test-${process.pid}`);
  assert.equal(notifyServiceManager({ stopping: true }), true);
  assert.equal(receive(), 'STOPPING=1');
});

test('without a service manager nothing is sent', () => {
  delete process.env.NOTIFY_SOCKET;
  assert.equal(notifyServiceManager({ ready: true }), false);
});

test('a notice with nothing in it is not sent', (context) => {
  const receive = listen(context, `@tandem-test-empty-${process.pid}`);
  assert.equal(notifyServiceManager({}), false);
  assert.equal(receive(), undefined);
});

test('a service manager that is gone is an error that names its socket', (context) => {
  process.env.NOTIFY_SOCKET = '/nowhere/notify';
  context.after(() => delete process.env.NOTIFY_SOCKET);
  assert.throws(
    () => notifyServiceManager({ ready: true }),
    (error) =>
      error instanceof TandemError &&
      error.errnoName === 'ENOENT' &&
      error.message.includes('/nowhere/notify'),
  );
  process.env.NOTIFY_SOCKET = `/${'x'.repeat(108)}`;
  assert.throws(
    () => notifyServiceManager({ ready: true }),
    (error) => error instanceof TandemError && error.errnoName === 'ENAMETOOLONG',
  );
});

test('a reload carries the monotonic time that systemd wants with it', () => {
  const text = formatServiceNotice({ reloading: true }, 123_456);
  assert.equal(text, 'RELOADING=1\nMONOTONIC_USEC=123456');
});

test('a newline in the status cannot pass for another notice', () => {
  assert.equal(formatServiceNotice({ status: 'a\nREADY=1' }, 0), 'STATUS=a READY=1');
});

test('the watchdog has the time that was set, for the process that it watches only', () => {
  assert.equal(watchdogInterval({ WATCHDOG_USEC: '30000000' }, 7), 30_000);
  assert.equal(watchdogInterval({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 7), 30_000);
  assert.equal(watchdogInterval({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, 7), undefined);
  assert.equal(watchdogInterval({}, 7), undefined);
  assert.equal(watchdogInterval({ WATCHDOG_USEC: 'soon' }, 7), undefined);
  assert.equal(watchdogInterval({ WATCHDOG_USEC: '0' }, 7), undefined);
});
