/**
 * Kernel parameters under /proc/sys.
 *
 * The files are read and written synchronously, so that the network namespace of the calling
 * thread counts: libuv's pool threads stay in the namespace of the process.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { TandemError } from '../errors.js';
import { systemCallError } from './systemCall.js';

const parameterRoot = '/proc/sys';

/**
 * Reads a parameter, for example `net.ipv4.ip_forward`, without the newline at its end.
 *
 * A dot that is part of a name is written as a slash, as sysctl(8) does:
 * `net.ipv4.conf.eth0/100.arp_ignore`. Throws `SYSTEM_CALL` (ENOENT when there is no such
 * parameter) or `PERMISSION`.
 */
export function readSysctl(name: string): string {
  const path = sysctlPath(name);
  try {
    return readFileSync(path, 'utf8').replace(/\n$/, '');
  } catch (error) {
    throw sysctlError('read', name, error);
  }
}

/** Writes a parameter; names and errors as in {@link readSysctl}. */
export function writeSysctl(name: string, value: string | number): void {
  const path = sysctlPath(name);
  try {
    // 'r+' because the file must exist: a missing parameter is an error, not a new file.
    writeFileSync(path, `${value}\n`, { flag: 'r+' });
  } catch (error) {
    throw sysctlError('write', name, error, String(value));
  }
}

/** The file of a parameter. Throws `INTERNAL` for a name that leads out of /proc/sys. */
export function sysctlPath(name: string): string {
  const parts = name.split('.').map((part) => part.replaceAll('/', '.'));
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) {
    throw new TandemError('INTERNAL', `not the name of a kernel parameter: ${name}`);
  }
  return [parameterRoot, ...parts].join('/');
}

function sysctlError(call: string, name: string, error: unknown, value?: string): unknown {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') {
    return error;
  }
  const errno = Math.abs(error.errno);
  const missing = 'code' in error && error.code === 'ENOENT';
  return systemCallError(call, errno, {
    context: value === undefined ? `sysctl ${name}` : `sysctl ${name} = ${value}`,
    ...(missing ? { hint: `This kernel has no parameter ${name}; is its module loaded?` } : {}),
  });
}
