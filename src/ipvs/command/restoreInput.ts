/** Reads the text of a saved table: a command on each line. Pure. */
import { familyOf, parseIpAddress } from '../../wire/ipAddress.js';
import type { IpvsOperation, IpvsServer } from '../../wire/ipvsModel.js';
import type { CommandRefusal, IpvsCommand } from './model.js';
import type { NameLookup } from './names.js';
import { parseCommandLine, tryHelp } from './parse.js';

/** A command of the input with the number of its line, from 1. */
export interface RestoreLine {
  readonly lineNumber: number;
  readonly command: IpvsCommand;
}

/** Reads every line of the input, or gives the first that is refused. */
export function parseRestoreInput(
  text: string,
  names: NameLookup,
): readonly RestoreLine[] | CommandRefusal {
  const lines: RestoreLine[] = [];
  const likes = new LikeLines();
  let lineNumber = 0;
  for (let from = 0; from <= text.length; ) {
    const newline = text.indexOf('\n', from);
    const to = newline < 0 ? text.length : newline;
    const start = from;
    from = to + 1;
    lineNumber += 1;
    const next = likes.findNext(text, start, to);
    if (next !== undefined) {
      lines.push({ lineNumber, command: next });
      continue;
    }
    const line = text.slice(start, to);
    const known = likes.find(line);
    if (known !== undefined) {
      lines.push({ lineNumber, command: known });
      continue;
    }
    const command = readLine(line, names);
    if (command === undefined) continue;
    if ('message' in command) return atLine(lineNumber, command);
    lines.push({ lineNumber, command });
    likes.learn(line, command);
  }
  return lines;
}

/** The same refusal, with the line of the input that it is about. */
export function atLine(lineNumber: number, refusal: CommandRefusal): CommandRefusal {
  return { ...refusal, message: `line ${lineNumber}: ${refusal.message}` };
}

/** The command of one line; nothing when it has none. */
function readLine(line: string, names: NameLookup): IpvsCommand | CommandRefusal | undefined {
  const words = line.split(/\s+/).filter((word) => word !== '');
  // A saved line may begin with the name of the program, and a file may have comments.
  if (words[0]?.startsWith('#')) return undefined;
  if (words[0] === 'ipvsadm') words.shift();
  else if (words[0] === 'tandem' && words[1] === 'ipvs') words.splice(0, 2);
  if (words.length === 0) return undefined;
  const parsed = parseCommandLine(words, names);
  if (parsed.kind === 'refused') return parsed;
  return parsed.command.kind === 'restore' ? tryHelp : parsed.command;
}

/** A change of a server. */
type ServerChange = Extract<IpvsOperation, { readonly server: IpvsServer }>;

/** Most lines that are remembered; a file in which each is another has no use for them. */
const likeLinesMax = 1_024;

/**
 * Lines that were read, for those that differ from one of them in the IPv4 address of their server
 * and in nothing else, as most lines of a large table do. They are the same command for another
 * server, and need no reading of their own.
 */
class LikeLines {
  /** By the text around the address of the server. */
  readonly #changes = new Map<string, ServerChange>();
  /** The line of the last command taken apart: what is before the address, and what behind. */
  #last: ServerChange | undefined;
  #before = '';
  #behind = '';
  #address = '';

  /** The command of the line at a place of the text, if it is like the one before it. */
  findNext(text: string, from: number, to: number): IpvsCommand | undefined {
    const like = this.#last;
    const addressAt = from + this.#before.length;
    const addressEnd = to - this.#behind.length;
    if (like === undefined || addressEnd <= addressAt) return undefined;
    if (!text.startsWith(this.#before, from) || !text.endsWith(this.#behind, to)) return undefined;
    return changeOf(like, text.slice(addressAt, addressEnd));
  }

  find(line: string): IpvsCommand | undefined {
    this.#last = undefined;
    if (!this.#split(line)) return undefined;
    const like = this.#changes.get(this.#before + this.#behind);
    const command = like && changeOf(like, this.#address);
    if (command !== undefined) this.#last = like;
    return command;
  }

  learn(line: string, command: IpvsCommand): void {
    if (command.kind !== 'change' || !this.#split(line)) return;
    const { operation } = command;
    if (operation.kind !== 'add-server' && operation.kind !== 'edit-server') return;
    // Else the address is not what it looks like.
    if (operation.server.address !== this.#address) return;
    if (this.#changes.size >= likeLinesMax) this.#changes.clear();
    this.#changes.set(this.#before + this.#behind, operation);
    this.#last = operation;
  }

  /** Takes a line apart; false when it has no server with an address in dots and a port. */
  #split(line: string): boolean {
    const option = line.indexOf(serverOption);
    const from = option + serverOption.length;
    const to = line.indexOf(':', from);
    if (option < 0 || to < 0) return false;
    this.#address = line.slice(from, to);
    this.#before = line.slice(0, from);
    this.#behind = line.slice(to);
    return true;
  }
}

const serverOption = ' -r ';

/** A change for a server with another address, if the text is one. */
function changeOf(
  { kind, service, server }: ServerChange,
  addressText: string,
): IpvsCommand | undefined {
  const address = parseIpAddress(addressText);
  // An IPv6 address without brackets takes the port for its own.
  if (address === undefined || familyOf(address) === 6) return undefined;
  return { kind: 'change', operation: { kind, service, server: { ...server, address } } };
}
