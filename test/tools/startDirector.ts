/** Starting a director of either program. */
import { spawnSync } from 'node:child_process';
import type { DirectorDaemon, DirectorProgram, RouterSettings } from './directorDaemon.js';
import { KeepalivedDirector } from './keepalivedDirector.js';
import type { DirectorName, Lan } from './lan.js';
import { TandemDirector } from './tandemDirector.js';

/** The priorities of a pair in which it matters who is preferred. */
export const highPriority = 150;
/** See {@link highPriority}. */
export const lowPriority = 100;

/** Starts a director of either program. */
export function startDirector(
  lan: Lan,
  program: DirectorProgram,
  node: DirectorName,
  settings: RouterSettings,
): DirectorDaemon {
  return program === 'tandem'
    ? new TandemDirector(lan, node, settings)
    : new KeepalivedDirector(lan, node, settings);
}

/** Whether a program is on the path. */
export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}
