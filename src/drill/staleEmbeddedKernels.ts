/** Removes what embedded kernels of processes that were killed outright have left behind. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders of embedded kernels are `<prefix><owner's pid>-<random>` in the temporary folder. */
export const folderPrefix = 'tandem-embedded-';

/** Removes the folders of owners that are gone, and the kernels' helper processes. */
export function removeStaleEmbeddedKernels(): void {
  for (const entry of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${folderPrefix}(\\d+)-`).exec(entry)?.[1];
    if (owner === undefined || existsSync(`/proc/${owner}`)) continue;
    const folder = join(tmpdir(), entry);
    try {
      for (const pid of processesOf(folder)) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another user's, theirs to remove; or a process that ended in the meantime.
    }
  }
}

/** The folder's unique name is an argument of every process of its kernel. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => commandLine(pid).includes(`uml_dir=${folder}/`))
    .map(Number);
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
