/** The processes of this machine, as /proc shows them: those of containers are among them. */
import { readdir, readFile } from 'node:fs/promises';

/** One process. */
export interface ProcessEntry {
  readonly processId: number;
  /** What the kernel calls it (`comm`): the program's name, at most 15 characters. */
  readonly name: string;
  /** Its arguments joined by spaces; empty for threads of the kernel, or when not asked for. */
  readonly commandLine: string;
}

/** Command lines may be megabytes long; this much of one is looked at. */
const commandLineBytesMax = 4096;

/** Files that are read at once: libuv's threads serve others too. */
const readsAtOnce = 8;

/**
 * Every process that runs; those that have ended and wait for their parent are left out.
 *
 * @param wantsCommandLine whether to read the command line of a process of this name
 */
export async function readProcesses(
  wantsCommandLine: (name: string) => boolean,
): Promise<readonly ProcessEntry[]> {
  const processIds = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found: ProcessEntry[] = [];
  const readNext = async (): Promise<void> => {
    for (let id = processIds.pop(); id !== undefined; id = processIds.pop()) {
      const entry = await readProcess(id, wantsCommandLine);
      if (entry !== undefined) found.push(entry);
    }
  };
  await Promise.all(Array.from({ length: readsAtOnce }, readNext));
  return found;
}

async function readProcess(
  id: string,
  wantsCommandLine: (name: string) => boolean,
): Promise<ProcessEntry | undefined> {
  try {
    const parsed = parseProcessStatus(await readFile(`/proc/${id}/stat`, 'utf8'));
    if (parsed === undefined) return undefined;
    const { name } = parsed;
    const commandLine = wantsCommandLine(name) ? await readCommandLine(id) : '';
    return { processId: Number(id), name, commandLine };
  } catch {
    // It ended while it was looked at.
    return undefined;
  }
}

/**
 * The name in the text of /proc/PID/stat (proc(5)): `123 (name) S ...`. A name may contain
 * brackets and spaces itself. `undefined` when the process has ended.
 */
export function parseProcessStatus(text: string): { readonly name: string } | undefined {
  const opening = text.indexOf('(');
  const closing = text.lastIndexOf(')');
  if (opening < 0 || closing < opening) return undefined;
  const state = text.charAt(closing + 2);
  return state === 'Z' || state === 'X' ? undefined : { name: text.slice(opening + 1, closing) };
}

async function readCommandLine(id: string): Promise<string> {
  const bytes = await readFile(`/proc/${id}/cmdline`);
  const text = bytes.subarray(0, commandLineBytesMax).toString('utf8');
  return text.replace(/\0+$/, '').replaceAll('\0', ' ');
}
