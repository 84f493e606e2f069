/** Follows the file of a file tracker: inotify on its folder, and a look from time to time. */
import { constants, type FSWatcher, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type FileContent, observeFile } from './mainObservation.js';
import type { FileSubject } from './model.js';
import type { Observer, Watch } from './scriptTracker.js';

/** After a change more are gathered for this long: an editor makes several events of one save. */
const gatherMs = 10;

/** Without any event the file is looked at this often: network file systems tell of nothing. */
const lookIntervalMs = 1_000;

/** More than a number is nothing that a tracker can use. */
const contentBytesMax = 64;

/** Looks at once, and then whenever something happens to the file. */
export function watchFile(subject: FileSubject, observer: Observer): Watch {
  return new FileWatch(subject, observer);
}

class FileWatch implements Watch {
  readonly #subject: FileSubject;
  readonly #observer: Observer;
  readonly #interval: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #looking = false;
  #lookAgain = false;
  #closed = false;
  #lastSeen = '';

  constructor(subject: FileSubject, observer: Observer) {
    this.#subject = subject;
    this.#observer = observer;
    this.#interval = setInterval(() => {
      this.#watchFolder();
      void this.#look();
    }, lookIntervalMs);
    this.#watchFolder();
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#interval);
    clearTimeout(this.#gathering);
    this.#watcher?.close();
  }

  /** The folder and not the file: a file that is replaced by another is another inode. */
  #watchFolder(): void {
    if (this.#watcher !== undefined) return;
    const wanted = basename(this.#subject.path);
    const forget = (): void => {
      this.#watcher?.close();
      this.#watcher = undefined;
    };
    try {
      const watcher = watch(dirname(this.#subject.path), (event, name) => {
        if (name !== null && name !== wanted) {
          // A folder that is removed tells its own name; the next interval tries again.
          if (event === 'rename' && name === basename(dirname(this.#subject.path))) forget();
          return;
        }
        if (this.#gathering !== undefined) return;
        // The first change may be all of it, and then an election waits for nothing.
        if (event === 'change') void this.#look();
        this.#gathering = setTimeout(() => {
          this.#gathering = undefined;
          void this.#look();
        }, gatherMs);
      });
      watcher.on('error', forget);
      this.#watcher = watcher;
    } catch {
      // The folder is not there, or the machine is out of watches: the interval serves until then.
    }
  }

  async #look(): Promise<void> {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    do {
      this.#lookAgain = false;
      const observation = observeFile(this.#subject, await readContent(this.#subject.path));
      if (this.#closed) return;
      // An observation that says what the last one said is no news, except that it was made.
      const seen = `${observation.outcome} ${observation.detail}`;
      if (seen !== this.#lastSeen) this.#observer(observation);
      this.#lastSeen = seen;
    } while (this.#lookAgain);
    this.#looking = false;
  }
}

async function readContent(path: string): Promise<FileContent> {
  try {
    // Without O_NONBLOCK a named pipe would hold a thread until somebody writes to it.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) return { error: `${path} is not a file` };
      const { bytesRead, buffer } = await file.read(Buffer.alloc(contentBytesMax), 0);
      return { text: buffer.subarray(0, bytesRead).toString('utf8') };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
