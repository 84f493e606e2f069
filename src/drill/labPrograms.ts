/** The programs that commands on the nodes of a lab find, besides those of the machine. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mainScriptPath } from './packageFolders.js';

/** Before the machine's own programs, and after them. */
const folders = { first: 'bin', last: 'bin-last' } as const;

/** Writes them into the folder of a lab: `tandem`, and `ipvsadm` for machines without one. */
export function writeLabPrograms(folder: string): void {
  const programs = [
    { place: folders.first, name: 'tandem', words: [] },
    { place: folders.last, name: 'ipvsadm', words: ['ipvs'] },
  ];
  for (const { place, name, words } of programs) {
    mkdirSync(join(folder, place), { recursive: true });
    const command = [process.execPath, mainScriptPath(), ...words].map(quote).join(' ');
    writeFileSync(join(folder, place, name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  }
}

/**
 * The environment of a command on a node: `tandem` is this program, talks to the agent of the node,
 * and knows what was done to prepare the node as a real server.
 */
export function nodeEnvironment(folder: string, node: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: [join(folder, folders.first), process.env.PATH, join(folder, folders.last)].join(':'),
    TANDEM_API_SOCKET: agentSocketPath(folder, node),
    TANDEM_REALSERVER_STATE: realServerStatePath(folder, node),
  };
}

/** Where the agent of a director listens. */
export function agentSocketPath(folder: string, node: string): string {
  return join(folder, `${node}.sock`);
}

/** Where it is noted what prepared a real server. */
export function realServerStatePath(folder: string, node: string): string {
  return join(folder, `${node}.realserver.json`);
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
