/** Which modules the running kernel has or can have. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readSysctl } from './sysctl.js';

/** How long the program that knows the modules may take, in milliseconds. */
const lookupTimeoutMs = 10_000;

/**
 * Whether a module is loaded, built in or there to be loaded. The program that the kernel itself
 * calls to load modules is asked, so the answer is the kernel's; `undefined` when there is none.
 */
export function isModuleAvailable(name: string): Promise<boolean | undefined> {
  if (existsSync(`/sys/module/${name}`)) return Promise.resolve(true);
  let program: string;
  try {
    program = readSysctl('kernel.modprobe').trim();
  } catch {
    return Promise.resolve(undefined);
  }
  if (!existsSync(program)) return Promise.resolve(undefined);
  const options = {
    timeout: lookupTimeoutMs,
    cwd: '/',
    env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' },
  };
  return new Promise((resolve) => {
    execFile(program, ['--dry-run', '--quiet', name], options, (error) => {
      if (error === null) resolve(true);
      else resolve(error.code === 1 ? false : undefined);
    });
  });
}
