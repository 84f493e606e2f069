/** Runs the real ipvsadm and ours, each in a network namespace of its own on the same kernel. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runIpvsCommand } from '../../../src/ipvs/command/run.js';
import {
  createNetworkNamespace,
  type NetworkNamespace,
} from '../../../src/kernel/networkNamespace.js';
import { type CommandLine, wordsOfLine } from '../ipvsadmLines.js';

/** What came of a command line. */
export interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

/** What came of a command line, and every listing after it. */
export interface Step extends Outcome {
  readonly listings: string;
}

/**
 * Listings of everything, for one process to print. `--nosort` is not among them: the order in the
 * kernel's hash table differs from one namespace to the other.
 */
const listings = [
  '-L -n',
  '-L -n --stats',
  '-L -n --stats --exact',
  '-L -n --rate',
  '-L -n --thresholds',
  '-L -n --persistent-conn',
  '-L -n --tun-info',
  '-L -n -c',
  '-L --timeout',
  '-L --daemon',
  '-S -n',
];

/** Listings with names: hundreds of look-ups each, so they are taken now and then only. */
const namedListings = ['-L', '-L -c --persistent-conn', '-S'];

/** After every so many lines the listings with names are taken too. */
const namedEvery = 16;

/**
 * What is listed after a line. A line that was refused has changed nothing, and if it had, the
 * listings after the next one would show it; a restore may be refused in part.
 */
function listingsAfter(line: CommandLine, index: number, count: number): ListingPlan {
  const isLast = index === count - 1;
  return {
    words: index % namedEvery === 0 || isLast ? [...listings, ...namedListings] : listings,
    always: isLast || line.input !== undefined,
  };
}

interface ListingPlan {
  readonly words: readonly string[];
  /** Also when the line was refused. */
  readonly always: boolean;
}

/** A namespace with a loopback and another interface, so that servers and daemons have a place. */
export function makeNamespace(name: string): NetworkNamespace {
  const namespace = createNetworkNamespace(`${name}-${process.pid}`);
  namespace.run(() => {
    for (const words of ['link set lo up', 'link add dummy0 type dummy', 'link set dummy0 up']) {
      const result = spawnSync('ip', words.split(' '), { encoding: 'utf8' });
      if (result.status !== 0) throw new Error(`ip ${words}: ${result.stderr}`);
    }
  });
  return namespace;
}

/** Runs all lines with the real ipvsadm, in one shell, because a process for each is slow. */
export function runReal(
  namespace: NetworkNamespace,
  lines: readonly CommandLine[],
): readonly Step[] {
  const folder = mkdtempSync(join(tmpdir(), 'ipvsadm-'));
  mkdirSync(folder, { recursive: true });
  const script = lines.map((line, index) => {
    const plan = listingsAfter(line, index, lines.length);
    writeFileSync(join(folder, `wanted.${index}`), `${plan.words.join('\n')}\n`);
    writeFileSync(join(folder, `listings.${index}`), '');
    const words = wordsOfLine(line).map(quote).join(' ');
    writeFileSync(join(folder, `input.${index}`), line.input ?? '');
    return [
      `ipvsadm ${words} < input.${index} > output.${index} 2> errors.${index}`,
      'status=$?',
      `echo $status > status.${index}`,
      `if ${plan.always ? 'true' : '[ $status = 0 ]'}; then`,
      `  ipvsadm -R < wanted.${index} > listings.${index} 2>&1`,
      'fi',
    ].join('\n');
  });
  namespace.run(() => spawnSync('sh', ['-c', script.join('\n')], { cwd: folder }));
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return lines.map((_line, index) => ({
    status: Number(read(`status.${index}`)),
    output: read(`output.${index}`),
    errors: read(`errors.${index}`),
    listings: read(`listings.${index}`),
  }));
}

/** Runs all lines with ours, in this process, through the function that the executable calls. */
export async function runOurs(lines: readonly CommandLine[]): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const [index, line] of lines.entries()) {
    const outcome = await runInProcess(wordsOfLine(line), line.input);
    const plan = listingsAfter(line, index, lines.length);
    let text = '';
    for (const listing of outcome.status === 0 || plan.always ? plan.words : []) {
      const { output, errors } = await runInProcess(listing.split(' '));
      text += output + errors;
    }
    steps.push({ ...outcome, listings: text });
  }
  return steps;
}

/** Runs one line with ours, in this process and its network namespace. */
export async function runInProcess(
  words: readonly string[],
  input = '',
  socketPath = '/nonexistent/tandem.sock',
  watch: { readonly signal?: AbortSignal; readonly onOutput?: () => void } = {},
): Promise<Outcome> {
  let [output, errors] = ['', ''];
  const status = await runIpvsCommand('ipvsadm', words, {
    write: (text) => {
      output += text;
      watch.onOutput?.();
    },
    writeError: (text) => {
      errors += text;
    },
    readInput: async () => input,
    isTerminal: false,
    socketPath,
    ...(watch.signal === undefined ? {} : { signal: watch.signal }),
  });
  return { status, output, errors };
}

/** Runs one line with the real ipvsadm, in the network namespace of this thread. */
export function runRealHere(words: readonly string[], input = ''): Outcome {
  return outcomeOf(spawnSync('ipvsadm', [...words], { input, encoding: 'utf8' }));
}

/** What a process that has ended says. */
export function outcomeOf(result: {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}): Outcome {
  return { status: result.status ?? -1, output: result.stdout, errors: result.stderr };
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
