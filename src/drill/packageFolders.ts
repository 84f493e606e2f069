/** Where this program is installed, which an embedded kernel must be able to see. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const nodeModules = '/node_modules/';

/** The compiled `main.js`: the sibling of the folder that this file was compiled into. */
export function mainScriptPath(): string {
  return fileURLToPath(new URL('../main.js', import.meta.url));
}

/** A compiled file of this folder, for worker threads. */
export function drillScript(name: string): URL {
  return new URL(`./${name}.js`, import.meta.url);
}

/** The folder that holds this package and everything that it imports. */
export function packageRoot(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const installed = here.indexOf(nodeModules);
  if (installed >= 0) return here.slice(0, installed + nodeModules.length - 1);
  let folder = here;
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) {
    folder = dirname(folder);
  }
  return folder;
}

/** The folder that holds the running Node and its libraries. */
export function nodeRoot(): string {
  return dirname(dirname(process.execPath));
}
