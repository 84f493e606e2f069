/** Reads the project's own source files for the tests that watch over its shape. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, found from this file's compiled place in `.build/test/tools`. */
export const projectRoot = findProjectRoot(dirname(fileURLToPath(import.meta.url)));

/** One TypeScript file of the project. */
export interface SourceFile {
  /** Path from the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Every `.ts` file under the named folders of the project. */
export function sourceFiles(...folders: readonly string[]): readonly SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => ({ path: relative(projectRoot, path), text: readFileSync(path, 'utf8') })),
  );
}

function findProjectRoot(start: string): string {
  for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
    if (readdirSync(folder).includes('package.json')) return folder;
  }
  throw new Error(`no package.json above ${start}`);
}
