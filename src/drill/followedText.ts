/** Text that grows: the tail of a console, and a file that somebody appends to. */
import { closeSync, openSync, readSync } from 'node:fs';

/** How much of a followed file is kept, in characters; `onOutput` sees all of it. */
export const keptCharactersMax = 16 * 1024 * 1024;

/** The last characters of a text that grows. */
export class Tail {
  text = '';
  readonly #charactersMax: number;

  constructor(charactersMax: number) {
    this.#charactersMax = charactersMax;
  }

  add(text: string): void {
    this.text = (this.text + text).slice(-this.#charactersMax);
  }
}

/** Reads what is appended to a file. */
export class FileFollower {
  readonly #fd: number;
  readonly #onOutput: ((chunk: string) => void) | undefined;
  readonly #decoder = new TextDecoder();
  readonly #chunks: string[] = [];
  #kept = 0;
  #position = 0;

  constructor(path: string, onOutput: ((chunk: string) => void) | undefined) {
    this.#fd = openSync(path, 'r');
    this.#onOutput = onOutput;
  }

  read(): void {
    const buffer = Buffer.allocUnsafe(64 * 1024);
    for (;;) {
      const bytes = readSync(this.#fd, buffer, 0, buffer.length, this.#position);
      if (bytes === 0) return;
      this.#position += bytes;
      // A character may be cut in two at the end of a read; the decoder keeps its first half.
      this.#push(this.#decoder.decode(buffer.subarray(0, bytes), { stream: true }));
    }
  }

  #push(text: string): void {
    if (text === '') return;
    this.#onOutput?.(text);
    this.#chunks.push(text);
    this.#kept += text.length;
    while (this.#kept > keptCharactersMax && this.#chunks.length > 1) {
      this.#kept -= this.#chunks.shift()?.length ?? 0;
    }
  }

  tail(characters: number): string {
    return this.#chunks.join('').slice(-characters);
  }

  finish(): string {
    this.#push(this.#decoder.decode());
    return this.#chunks.join('');
  }

  close(): void {
    closeSync(this.#fd);
  }
}
