/** The files of this program that run in a process or a thread of their own, or alone in one. */

/** Each such file, by its path from here and without its ending. */
export const scriptNames = [
  'main',
  'agent/guardProcess',
  'cli/ipvsProcess',
  'drill/clientThread',
  'drill/realServerThread',
  'health/thread',
  'peer/thread',
  'sync/thread',
  'vrrp/thread',
] as const;

/** One of {@link scriptNames}. */
export type ScriptName = (typeof scriptNames)[number];

/**
 * Where a script lies. Only this file may ask for its own place: the bundler puts what scripts have
 * in common beside `main.js`, where this file is too.
 */
export function scriptUrl(name: ScriptName): URL {
  return new URL(`./${name}.js`, import.meta.url);
}
