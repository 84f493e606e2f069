/**
 * Reads a large text service by service, so that a reload parses those that have changed. Pure.
 *
 * A text is taken apart where an item of the list `services` begins. It is put together again only
 * when what is left without the list, and each item alone, is a whole text for the quick parser:
 * then no quotation, bracket or text of several lines reaches from one part into the next, and the
 * parts are what they would be in one text. Whatever looks otherwise is not taken apart.
 */
import { quickYaml } from './quickYaml.js';
import { isMapping } from './schema/mappingReader.js';

/** Stands for the list in what is left without it, and must come out of that as it went in. */
const placeholder = 'the-services-are-read-apart';

/** The key as its line is written mostly, and the indentation of its first item. */
const listStart = /^services:\n( *)- (?=\S)/m;

/** A text without its services, and the text of each. */
interface ServiceTexts {
  readonly rest: string;
  readonly items: readonly string[];
}

/** Reads texts of which each is much like the one before. */
export class ServiceTextReader {
  /** The value of every service of the last text that was read. Nobody changes them. */
  #known: ReadonlyMap<string, unknown> = new Map();

  /**
   * The value of a text, in a box, where it can be read service by service. A service that was
   * written with the same characters in the last text is the same object as then.
   */
  read(text: string): { readonly value: unknown } | undefined {
    const texts = takeApart(text);
    if (texts === undefined) return undefined;
    const root = quickYaml(texts.rest)?.value;
    if (!isMapping(root) || root.services !== placeholder) return undefined;
    const known = new Map<string, unknown>();
    const services: unknown[] = [];
    for (const item of texts.items) {
      const service = known.get(item) ?? this.#known.get(item) ?? itemOf(item);
      if (service === undefined) return undefined;
      known.set(item, service);
      services.push(service);
    }
    this.#known = known;
    return { value: { ...root, services } };
  }
}

/** The only element of the list that a text is, when it is a mapping. */
function itemOf(text: string): object | undefined {
  const list = quickYaml(text)?.value;
  if (!Array.isArray(list) || list.length !== 1) return undefined;
  const [item] = list as readonly unknown[];
  return isMapping(item) ? item : undefined;
}

function takeApart(text: string): ServiceTexts | undefined {
  if (text.includes(placeholder)) return undefined;
  const found = listStart.exec(text);
  const [start, indentation] = [found?.[0], found?.[1]];
  if (found === null || start === undefined || indentation === undefined) return undefined;
  const keyLength = 'services:'.length;
  const begin = found.index + keyLength + 1;
  const end = endOfList(text, begin, indentation);
  const rest = `${text.slice(0, begin - 1)} ${placeholder}\n${text.slice(end)}`;
  return { rest, items: itemsOf(text.slice(begin, end), `${indentation}- `) };
}

/** Where the first line begins that is neither indented as the list, nor empty, nor a comment. */
function endOfList(text: string, begin: number, { length }: string): number {
  const inside = length === 0 ? '- | ' : ' '.repeat(length);
  const outside = new RegExp(`^(?!${inside}| *(?:#|$))`, 'gm');
  outside.lastIndex = begin;
  return outside.exec(text)?.index ?? text.length;
}

/** The text of each item; the first begins where the list does. */
function itemsOf(list: string, mark: string): readonly string[] {
  const items: string[] = [];
  let begin = 0;
  while (begin < list.length) {
    const next = list.indexOf(`\n${mark}`, begin);
    const end = next < 0 ? list.length : next + 1;
    items.push(list.slice(begin, end));
    begin = end;
  }
  return items;
}
