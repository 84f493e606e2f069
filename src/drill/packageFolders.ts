/** Where this program is installed, which an embedded kernel must be able to see. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scriptUrl } from '../scripts.js';

const nodeModules = '/node_modules/';

/** The compiled `main.js`. */
export function mainScriptPath(): string {
  return fileURLToPath(scriptUrl('main'));
}

/** The folder that holds this package and everything that it imports. */
export function packageRoot(): string {
  const here = dirname(mainScriptPath());
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
