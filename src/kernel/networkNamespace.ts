/**
 * Named network namespaces, compatible with `ip netns`: a file under /run/netns onto which the
 * namespace is bind-mounted, so that it lives without a process in it.
 *
 * A thread is in a namespace, not a process. Everything here acts on the calling thread and is
 * synchronous, so no other JavaScript runs while the thread is elsewhere. libuv's pool threads
 * stay where they were: inside {@link NetworkNamespace.run} use synchronous calls only.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { TandemError } from '../errors.js';
import { openRouteNetlink } from './routeNetlink.js';
import { checked, closeDescriptor, lastErrno, libc, systemCallError } from './systemCall.js';

/** Where iproute2 keeps its namespaces. */
export const namespaceDirectory = '/run/netns';

/** The namespace of the calling thread; `/proc/self` would be that of the main thread. */
const currentNamespacePath = '/proc/thread-self/ns/net';

const cloneNewNet = 0x40000000;
const mountBind = 0x1000;
const mountRecursive = 0x4000;
const mountShared = 0x100000;
const unmountDetach = 2;
const openReadOnlyCloseOnExec = 0o2000000;
const openDirectory = 0o200000;
const lockExclusive = 2;
const errnoInvalid = 22;
const capability = 'CAP_SYS_ADMIN';

/** A named network namespace, held open. */
export interface NetworkNamespace {
  readonly name: string;
  /** The file that it is mounted on. */
  readonly path: string;
  /** A descriptor of the namespace, for netlink. */
  readonly fd: number;
  /**
   * Runs a synchronous function inside and comes back, also when it throws. Sockets opened by it
   * stay in this namespace. Throws `INTERNAL` when the way back fails: the thread is lost then.
   */
  run<T>(fn: () => T): T;
  /** Moves the calling thread into it for good. Sockets opened before stay where they were. */
  enter(): void;
  /** Starts a process inside, with `node:child_process` semantics. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Removes the name and closes `fd`. The namespace ends when nothing uses it any more. */
  remove(): void;
  /** Closes `fd` only; the namespace keeps its name. */
  close(): void;
}

/**
 * Makes a namespace with `lo` up. Throws `PERMISSION` without CAP_SYS_ADMIN, `SYSTEM_CALL` with
 * EEXIST when the name is taken.
 */
export function createNetworkNamespace(name: string): NetworkNamespace {
  const path = namespacePath(name);
  prepareDirectory();
  createMountPoint(path, name);
  const home = currentNetworkNamespaceFd();
  let inside = false;
  try {
    checked(libc.unshare(cloneNewNet), 'unshare', { context: 'CLONE_NEWNET', capability });
    inside = true;
    const result = libc.mount(currentNamespacePath, path, 'none', mountBind, null);
    checked(result, 'mount', { context: `network namespace on ${path}`, capability });
    setLoopbackUp();
  } catch (error) {
    discardMountPoint(path);
    throw error;
  } finally {
    if (inside) returnTo(home);
    closeDescriptor(home);
  }
  return openNetworkNamespace(name);
}

/** Opens a namespace that exists. Throws `SYSTEM_CALL` with ENOENT when it does not. */
export function openNetworkNamespace(name: string): NetworkNamespace {
  const path = namespacePath(name);
  const fd = checked(libc.open(path, openReadOnlyCloseOnExec, 0), 'open', {
    context: `network namespace ${path}`,
    hint: `\`ip netns list\` shows the namespaces of this machine.`,
  });
  return new OpenNetworkNamespace(name, path, fd);
}

/**
 * Removes a namespace by its name, as what a lab that died left behind. Throws `SYSTEM_CALL` with
 * ENOENT when there is no such name.
 */
export function removeNetworkNamespace(name: string): void {
  const path = namespacePath(name);
  if (libc.umount2(path, unmountDetach) === -1) {
    const errno = lastErrno();
    // EINVAL: the file is there, but nothing is mounted on it.
    if (errno !== errnoInvalid)
      throw systemCallError('umount2', errno, { context: path, capability });
  }
  try {
    unlinkSync(path);
  } catch (error) {
    throw fileError('unlink', path, error);
  }
}

/** A new descriptor of the calling thread's namespace; the caller closes it (closeDescriptor). */
export function currentNetworkNamespaceFd(): number {
  const result = libc.open(currentNamespacePath, openReadOnlyCloseOnExec, 0);
  return checked(result, 'open', { context: currentNamespacePath });
}

class OpenNetworkNamespace implements NetworkNamespace {
  readonly name: string;
  readonly path: string;
  readonly fd: number;

  constructor(name: string, path: string, fd: number) {
    this.name = name;
    this.path = path;
    this.fd = fd;
  }

  run<T>(fn: () => T): T {
    const home = currentNetworkNamespaceFd();
    try {
      this.enter();
      try {
        return fn();
      } finally {
        returnTo(home);
      }
    } finally {
      closeDescriptor(home);
    }
  }

  enter(): void {
    const context = `network namespace ${this.name}`;
    checked(libc.setns(this.fd, cloneNewNet), 'setns', { context, capability });
  }

  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    // libuv forks on the calling thread before spawn returns, so the child starts inside.
    return this.run(() => spawn(command, args, options));
  }

  remove(): void {
    this.close();
    removeNetworkNamespace(this.name);
  }

  close(): void {
    closeDescriptor(this.fd);
  }
}

/** Goes back to a thread's own namespace. To fail here would be to act in the wrong network. */
function returnTo(home: number): void {
  if (libc.setns(home, cloneNewNet) === 0) return;
  const cause = systemCallError('setns', lastErrno(), { capability });
  throw new TandemError('INTERNAL', `cannot return to the network namespace: ${cause.message}`, {
    cause,
  });
}

function namespacePath(name: string): string {
  if (!/^[\w.@:+-]{1,200}$/.test(name) || name === '.' || name === '..') {
    throw new TandemError('INTERNAL', `not a name for a network namespace: ${name}`);
  }
  return `${namespaceDirectory}/${name}`;
}

/**
 * Makes /run/netns a shared mount, as iproute2 does, so that a name made or removed here appears
 * and disappears in every mount namespace of the machine. The lock keeps two processes that do
 * this at once from mounting it twice; iproute2 takes the same one.
 */
function prepareDirectory(): void {
  try {
    mkdirSync(namespaceDirectory, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw fileError('mkdir', namespaceDirectory, error);
  }
  const flags = openReadOnlyCloseOnExec | openDirectory;
  const lock = checked(libc.open(namespaceDirectory, flags, 0), 'open', {
    context: namespaceDirectory,
  });
  try {
    checked(libc.flock(lock, lockExclusive), 'flock', { context: namespaceDirectory });
    if (shareDirectory()) return;
    const recursiveBind = mountBind | mountRecursive;
    const result = libc.mount(namespaceDirectory, namespaceDirectory, 'none', recursiveBind, null);
    checked(result, 'mount', { context: `bind ${namespaceDirectory}`, capability });
    if (!shareDirectory()) {
      throw systemCallError('mount', lastErrno(), { context: `share ${namespaceDirectory}` });
    }
  } finally {
    closeDescriptor(lock);
  }
}

/** False when the directory is no mount point yet (EINVAL). */
function shareDirectory(): boolean {
  const flags = mountShared | mountRecursive;
  if (libc.mount('', namespaceDirectory, 'none', flags, null) === 0) return true;
  const errno = lastErrno();
  if (errno === errnoInvalid) return false;
  throw systemCallError('mount', errno, { context: `share ${namespaceDirectory}`, capability });
}

function createMountPoint(path: string, name: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o444));
  } catch (error) {
    throw fileError('open', `network namespace ${name}`, error);
  }
}

function discardMountPoint(path: string): void {
  libc.umount2(path, unmountDetach);
  unlinkSync(path);
}

function setLoopbackUp(): void {
  const netlink = openRouteNetlink();
  try {
    netlink.setLink('lo', { up: true });
  } finally {
    netlink.close();
  }
}

function fileError(call: string, context: string, error: unknown): unknown {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    return systemCallError(call, Math.abs(error.errno), { context, capability });
  }
  return error;
}
