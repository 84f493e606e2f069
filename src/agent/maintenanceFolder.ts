/**
 * The maintenance folder: a file in it takes a server out, also when the API does not answer.
 * inotify tells of changes at once, and a look from time to time heals what it missed.
 */
import { type FSWatcher, lstatSync, mkdirSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { userName } from '../kernel/userDatabase.js';
import { reasonLengthMax, userLengthMax } from '../wire/overrideModel.js';

/** One file. */
export interface MaintenanceFile {
  /** Which server: `ADDRESS`, `ADDRESS:PORT` or `SERVICE@ADDRESS[:PORT]`. */
  readonly name: string;
  /** The owner of the file. */
  readonly user: string;
  /** The first line of the file. */
  readonly reason: string;
}

/** Files that are looked at; more are a mistake, and the rest is not looked at. */
export const maintenanceFilesMax = 1024;

const lookIntervalMs = 1_000;

/** Several events of one change are gathered for so long. */
const gatherMs = 20;

/** Follows one folder until it is closed. */
export class MaintenanceFolder {
  readonly #path: string;
  readonly #onChange: (files: readonly MaintenanceFile[]) => void;
  readonly #interval: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #files: readonly MaintenanceFile[] | undefined;

  /** Looks at once; `onChange` is called for that look and then at every difference. */
  constructor(path: string, onChange: (files: readonly MaintenanceFile[]) => void) {
    this.#path = path;
    this.#onChange = onChange;
    makeFolder(path);
    this.#interval = setInterval(() => this.#look(), lookIntervalMs);
    this.#look();
  }

  close(): void {
    clearInterval(this.#interval);
    clearTimeout(this.#gathering);
    this.#watcher?.close();
  }

  #look(): void {
    this.#watch();
    const files = readFolder(this.#path);
    if (isDeepStrictEqual(files, this.#files)) return;
    this.#files = files;
    this.#onChange(files);
  }

  #watch(): void {
    if (this.#watcher !== undefined) return;
    const forget = (): void => {
      this.#watcher?.close();
      this.#watcher = undefined;
    };
    try {
      const inode = lstatSync(this.#path).ino;
      const watcher = watch(this.#path, () => {
        // A folder that is made again is another one, of which this watch says nothing.
        if (lstatSync(this.#path, { throwIfNoEntry: false })?.ino !== inode) forget();
        this.#gathering ??= setTimeout(() => {
          this.#gathering = undefined;
          this.#look();
        }, gatherMs);
      });
      watcher.on('error', forget);
      this.#watcher = watcher;
    } catch {
      // The folder is not there, or the machine is out of watches: the interval serves until then.
    }
  }
}

/** So that `touch` works at once; without the right to, whoever needs the folder makes it. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o750 });
  } catch {
    // See above.
  }
}

function readFolder(path: string): readonly MaintenanceFile[] {
  let names: readonly string[];
  try {
    names = readdirSync(path);
  } catch {
    return [];
  }
  return names
    .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
    .toSorted()
    .slice(0, maintenanceFilesMax)
    .flatMap((name) => readFile(path, name));
}

function readFile(folder: string, name: string): readonly MaintenanceFile[] {
  const path = join(folder, name);
  try {
    const { uid, size } = lstatSync(path);
    return [{ name, user: userName(uid).slice(0, userLengthMax), reason: firstLine(path, size) }];
  } catch {
    // It is gone since the folder was listed.
    return [];
  }
}

/** A file that cannot be read, or is none, is there all the same: that is what counts. */
function firstLine(path: string, size: number): string {
  if (size === 0 || size > 64 * 1024 || !lstatSync(path).isFile()) return '';
  try {
    const [line = ''] = readFileSync(path, 'utf8').split('\n');
    return line.replaceAll(/\p{C}/gu, '').trim().slice(0, reasonLengthMax);
  } catch {
    return '';
  }
}
