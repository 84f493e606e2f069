/**
 * Takes a command line apart as the popt library does, on which ipvsadm is built: bundled short
 * options (`-Lnc`, `-At`), values in the same word (`-w5`, `-w=5`, `--weight=5`) or in the next
 * one, no abbreviations, and arguments between options. Pure.
 */
import type { OptionSpelling } from './options.js';

/** One option with its value, or the reason why the reading ended. */
export type ReadOption<Tag extends string> =
  | {
      readonly kind: 'option';
      readonly tag: Tag;
      /** The word that the option stood in, for messages. */
      readonly word: string;
      readonly value: string | undefined;
    }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly word: string; readonly reason: WordError };

/** What popt says of a word that it cannot take. */
export type WordError = 'unknown option' | 'missing argument' | 'option does not take an argument';

/** The options of a program by both of their spellings. */
export interface SpellingTable<Tag extends string> {
  readonly byShort: ReadonlyMap<string, OptionSpelling<Tag>>;
  readonly byLong: ReadonlyMap<string, OptionSpelling<Tag>>;
}

/** Sorts spellings for reading; once, because a restored table has thousands of lines. */
export function spellingTable<Tag extends string>(
  spellings: readonly OptionSpelling<Tag>[],
): SpellingTable<Tag> {
  const byShort = new Map<string, OptionSpelling<Tag>>();
  const byLong = new Map<string, OptionSpelling<Tag>>();
  for (const spelling of spellings) {
    if (spelling.short !== undefined) byShort.set(spelling.short, spelling);
    if (spelling.long !== undefined) byLong.set(spelling.long, spelling);
  }
  return { byShort, byLong };
}

/** Reads the words of one command line, one option after the other. */
export class WordReader<Tag extends string> {
  readonly #words: readonly string[];
  readonly #table: SpellingTable<Tag>;
  readonly #leftovers: string[] = [];
  #position = 0;
  /** What is left of a word of short options. */
  #bundle = '';
  #onlyArguments = false;

  constructor(words: readonly string[], table: SpellingTable<Tag>) {
    this.#words = words;
    this.#table = table;
  }

  /** The words that were no options and no values of options, so far. */
  get leftovers(): readonly string[] {
    return this.#leftovers;
  }

  /** The next option. After `end` or `error` there is none. */
  next(): ReadOption<Tag> {
    if (this.#bundle !== '') return this.#nextShort();
    for (;;) {
      const word = this.#words[this.#position];
      if (word === undefined) return { kind: 'end' };
      this.#position += 1;
      if (this.#onlyArguments || !word.startsWith('-') || word === '-') {
        this.#leftovers.push(word);
      } else if (word === '--') {
        this.#onlyArguments = true;
      } else if (word.startsWith('--')) {
        return this.#long(word);
      } else {
        this.#bundle = word.slice(1);
        return this.#nextShort();
      }
    }
  }

  #long(word: string): ReadOption<Tag> {
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const spelling = this.#table.byLong.get(name);
    if (spelling === undefined) return { kind: 'error', word, reason: 'unknown option' };
    return this.#finish(spelling, word, equals < 0 ? undefined : word.slice(equals + 1));
  }

  #nextShort(): ReadOption<Tag> {
    const word = this.#words[this.#position - 1] ?? '';
    const spelling = this.#table.byShort.get(this.#bundle.charAt(0));
    if (spelling === undefined) return { kind: 'error', word, reason: 'unknown option' };
    const rest = this.#bundle.slice(1);
    if (spelling.argument === 'none') {
      this.#bundle = rest;
      // `-n=1` gives a value to an option that has none.
      return this.#finish(spelling, word, rest.startsWith('=') ? rest.slice(1) : undefined);
    }
    this.#bundle = '';
    return this.#finish(spelling, word, rest === '' ? undefined : rest.replace(/^=/, ''));
  }

  #finish(spelling: OptionSpelling<Tag>, word: string, given: string | undefined): ReadOption<Tag> {
    const { tag } = spelling;
    if (spelling.argument === 'none') {
      if (given === undefined) return { kind: 'option', tag, word, value: undefined };
      return { kind: 'error', word, reason: 'option does not take an argument' };
    }
    if (given !== undefined) return { kind: 'option', tag, word, value: given };
    const next = this.#words[this.#position];
    const isOptional = spelling.argument === 'optional';
    if (next === undefined && !isOptional) {
      return { kind: 'error', word, reason: 'missing argument' };
    }
    if (next === undefined || (isOptional && next.startsWith('-'))) {
      return { kind: 'option', tag, word, value: undefined };
    }
    this.#position += 1;
    return { kind: 'option', tag, word, value: next };
  }
}
