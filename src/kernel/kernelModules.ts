/** Which modules the running kernel has or can have. */
import { execFile, spawnSync } from 'node:child_process';
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
  const program = moduleProgram();
  if (program === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    execFile(program, ['--dry-run', '--quiet', name], options, (error) => {
      if (error === null) resolve(true);
      else resolve(error.code === 1 ? false : undefined);
    });
  });
}

/**
 * Loads a module that the kernel does not load by itself when it is asked for, with the program
 * that the kernel would call. Whether it is there then is for its user to find out.
 */
export function loadModule(name: string): void {
  if (existsSync(`/sys/module/${name}`)) return;
  const program = moduleProgram();
  if (program !== undefined) spawnSync(program, ['--quiet', name], { ...options, stdio: 'ignore' });
}

const options = {
  timeout: lookupTimeoutMs,
  cwd: '/',
  env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' },
};

/** The program that the kernel calls to load modules, where there is one. */
function moduleProgram(): string | undefined {
  try {
    const program = readSysctl('kernel.modprobe').trim();
    return existsSync(program) ? program : undefined;
  } catch {
    return undefined;
  }
}
