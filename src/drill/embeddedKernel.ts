/**
 * Runs a command inside an embedded kernel: Debian's user-mode-linux, an ordinary program that is
 * a whole Linux with IPVS and needs no privilege.
 *
 * The embedded kernel sees this machine's files read-only, and one shared folder read-write at the
 * same path. The command's output goes to a file there, which is followed while it runs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { TandemError } from '../errors.js';
import { initScript, isMasked, sharedFileNames } from './embeddedKernelInit.js';
import { type EmbeddedKernelPackage, findEmbeddedKernel } from './embeddedKernelPackage.js';
import { FileFollower, Tail } from './followedText.js';
import { takeProcessor } from './kernelProcessor.js';
import { nodeRoot, packageRoot } from './packageFolders.js';
import { onProcessEnd } from './processEnd.js';
import { needsWidening, widenedKernel } from './processorState.js';
import { folderPrefix, removeStaleEmbeddedKernels } from './staleEmbeddedKernels.js';

/** What to run, and within which limits. */
export interface EmbeddedKernelOptions {
  /** Program and arguments; the program is looked up in the PATH of the embedded system. */
  readonly command: readonly string[];
  /** Added to a small standard environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: this process's own. */
  readonly workingDirectory?: string;
  readonly memoryMegabytes?: number;
  /** Boot included; then the kernel is killed and `LAB_FAILED` thrown. */
  readonly timeoutMs: number;
  /** Called with each piece of the command's output (both streams) as it appears. */
  readonly onOutput?: (chunk: string) => void;
  /** Called with the shared folder before the boot, for input files and for watching it. */
  readonly onFolder?: (sharedFolder: string) => void;
  /** Called with the shared folder when the command has ended, before it is removed. */
  readonly onEnd?: (sharedFolder: string) => void;
  /** Ends the kernel early; the run then fails with `LAB_FAILED`. */
  readonly signal?: AbortSignal;
  /** Where the kernel's programs are. Default: found in the system, or downloaded. */
  readonly kernelPackage?: EmbeddedKernelPackage;
  /** Paths that the command needs and that lie below /tmp, /root, /run or /var/tmp. */
  readonly exposedFolders?: readonly string[];
}

/** How the command ended. */
export interface EmbeddedKernelResult {
  /** Exit status of the command; 128 + n when signal n ended it. */
  readonly exitCode: number;
  /** All of its output, or the last 16 Mi characters. */
  readonly output: string;
}

const memoryDefaultMegabytes = 1024;
/** The command finds the shared folder's path in this environment variable. */
export const sharedFolderVariable = 'TANDEM_SHARED_FOLDER';

/** How much of the console and of the output an error message shows, in characters. */
const tailMax = 4_000;
const followIntervalMs = 50;
/** How long the kernel may take to switch itself off once the command has ended. */
const powerOffTimeoutMs = 5_000;

/**
 * Boots an embedded kernel, runs the command as root inside and waits for its end. Throws
 * `LAB_FAILED` when the kernel cannot be had, panics, or does not finish within the time limit.
 */
export async function runInEmbeddedKernel(
  options: EmbeddedKernelOptions,
): Promise<EmbeddedKernelResult> {
  const kernel = options.kernelPackage ?? (await findEmbeddedKernel());
  removeStaleEmbeddedKernels();
  // The name says whose it is, so that a later run removes what a killed process left behind.
  const folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  let child: ChildProcess | undefined;
  const cleanUp = (): void => {
    if (child !== undefined) killGroup(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  };
  const unregister = onProcessEnd(cleanUp);
  try {
    const sharedFolder = prepareFolder(folder, kernel, options);
    options.onFolder?.(sharedFolder);
    child = boot(folder, kernel, options);
    const result = await supervise(child, sharedFolder, options);
    options.onEnd?.(sharedFolder);
    return result;
  } finally {
    unregister();
    cleanUp();
  }
}

function prepareFolder(
  folder: string,
  kernel: EmbeddedKernelPackage,
  options: EmbeddedKernelOptions,
): string {
  const sharedFolder = join(folder, 'shared');
  mkdirSync(sharedFolder);
  writeFileSync(join(sharedFolder, sharedFileNames.output), '');
  const workingDirectory = options.workingDirectory ?? process.cwd();
  const script = initScript({
    sharedFolder,
    modulesFolder: kernel.modulesFolder,
    modprobePath: kernel.modprobePath,
    libraryFolders: kernel.libraryFolders,
    exposedFolders: outermost([
      packageRoot(),
      nodeRoot(),
      kernel.modulesFolder,
      dirname(kernel.modprobePath),
      workingDirectory,
      ...(options.exposedFolders ?? []),
    ]),
    command: options.command,
    workingDirectory,
    environment: {
      ...standardEnvironment(),
      [sharedFolderVariable]: sharedFolder,
      ...options.env,
    },
  });
  writeFileSync(join(folder, 'init'), script, { mode: 0o755 });
  return sharedFolder;
}

/** Drops folders inside others of the list and those that a mount would not change. */
export function outermost(folders: readonly string[]): string[] {
  const candidates = [...new Set(folders)].filter(isMasked);
  return candidates.filter(
    (folder) => !candidates.some((other) => other !== folder && folder.startsWith(`${other}/`)),
  );
}

function standardEnvironment(): Record<string, string> {
  const environment: Record<string, string> = { LANG: 'C.UTF-8', TANDEM_EMBEDDED: '1' };
  const continuousIntegration = process.env.CI;
  if (continuousIntegration !== undefined) environment.CI = continuousIntegration;
  return environment;
}

function boot(
  folder: string,
  kernel: EmbeddedKernelPackage,
  options: EmbeddedKernelOptions,
): ChildProcess {
  const memoryMegabytes = options.memoryMegabytes ?? memoryDefaultMegabytes;
  const kernelArguments = [
    `mem=${memoryMegabytes}M`,
    'rootfstype=hostfs',
    'rootflags=/',
    'ro',
    'quiet',
    // Level 3 lets the words of a panic through, and nothing of a healthy run.
    'loglevel=3',
    `init=${join(folder, 'init')}`,
    `uml_dir=${folder}/`,
    'con=null',
    'con0=null,fd:1',
    'con1=null',
  ];
  const processor = takeProcessor(folder, tmpdir());
  const [program = '', ...args] = [
    ...(processor === undefined ? [] : ['taskset', '--cpu-list', String(processor)]),
    // Should this process be killed outright, the kernel's end comes with it.
    ...['setpriv', '--pdeathsig', 'KILL', kernelProgram(folder, kernel), ...kernelArguments],
  ];
  return spawn(program, args, {
    // A process group of its own: one signal ends the kernel with all of its helper processes,
    // and a Ctrl-C at the terminal reaches only us.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: memoryFolder(memoryMegabytes) },
  });
}

/** The kernel as it is installed, or a copy in the folder that this machine's processor can run. */
function kernelProgram(folder: string, { kernelPath }: EmbeddedKernelPackage): string {
  if (!needsWidening(readFileSync('/proc/self/auxv'))) return kernelPath;
  const widened = widenedKernel(readFileSync(kernelPath));
  if (widened === undefined) return kernelPath;
  const path = join(folder, 'linux');
  writeFileSync(path, widened, { mode: 0o755 });
  return path;
}

/** The kernel's memory is a file: on a memory file system if it has room and may be executed. */
function memoryFolder(megabytes: number): string {
  const shared = '/dev/shm';
  if (!existsSync(shared) || isMountedWithout(shared, 'noexec') === false) return tmpdir();
  const { bavail, bsize } = statfsSync(shared);
  return bavail * bsize >= megabytes * 1024 * 1024 ? shared : tmpdir();
}

function isMountedWithout(mountPoint: string, option: string): boolean | undefined {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const fields = lines.map((line) => line.split(' ')).findLast((line) => line[1] === mountPoint);
  return fields === undefined ? undefined : !(fields[3] ?? '').split(',').includes(option);
}

async function supervise(
  child: ChildProcess,
  sharedFolder: string,
  options: EmbeddedKernelOptions,
): Promise<EmbeddedKernelResult> {
  const console = new Tail(tailMax);
  child.stdout?.setEncoding('utf8').on('data', (text: string) => console.add(text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => console.add(text));
  const follower = new FileFollower(join(sharedFolder, sharedFileNames.output), options.onOutput);
  const statusPath = join(sharedFolder, sharedFileNames.status);
  const failed = (what: string): TandemError =>
    new TandemError(
      'LAB_FAILED',
      `the embedded kernel ${what}; its console ends with:\n${console.text.trim()}\n` +
        `and the output of ${options.command[0]} with:\n${follower.tail(tailMax).trim()}`,
      { hint: 'Run the command again; a panic that repeats is a bug.' },
    );
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve);
    child.once('close', () => resolve(undefined));
  });
  const deadline = Date.now() + options.timeoutMs;
  try {
    for (;;) {
      const end = await Promise.race([ended.then((error) => ({ error })), delay(followIntervalMs)]);
      follower.read();
      if (end?.error !== undefined) throw failed(`did not start: ${end.error.message}`);
      if (existsSync(statusPath)) break;
      if (end !== undefined) {
        throw failed(`ended before the command did (${child.signalCode ?? child.exitCode})`);
      }
      if (options.signal?.aborted === true) throw failed('was ended on request');
      if (Date.now() > deadline) throw failed(`did not finish within ${options.timeoutMs} ms`);
    }
    await Promise.race([ended, delay(powerOffTimeoutMs)]);
    follower.read();
    const exitCode = Number.parseInt(readFileSync(statusPath, 'utf8'), 10);
    return { exitCode, output: follower.finish() };
  } finally {
    follower.close();
  }
}

function delay(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), milliseconds).unref();
  });
}

/** Ends the kernel and its helper processes, which are all in the process group of the first. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has no process any more.
  }
}
