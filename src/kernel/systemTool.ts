/**
 * Tools of the system (nft, iptables, ip, ping...), run in the network namespace of the calling
 * thread, with input, for a bounded time and with bounded output.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { TandemError } from '../errors.js';

/** Where tools are looked for; PATH is not asked, since root must not run what others put there. */
const toolFolders = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'] as const;

/** This much of what a tool prints is kept, for each of its two outputs. */
const outputBytesMax = 8 * 1024 * 1024;

/** How long a tool may take unless its caller knows better, in milliseconds. */
const toolTimeoutMs = 15_000;

/** How a tool is called. */
export interface ToolOptions {
  /** What it reads from its standard input. */
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** How a tool ended. */
export interface ToolResult {
  /** Its exit status; 128 when a signal or its time limit ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The absolute path of a tool; `undefined` when it is not installed. */
export function findTool(name: string): string | undefined {
  return toolFolders
    .map((folder) => `${folder}/${name}`)
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * Runs a tool to its end. A status other than 0 is a result, not an error. Throws `TOOL_MISSING`
 * when it is not installed or cannot be started.
 */
export function runTool(
  name: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  const path = findTool(name);
  if (path === undefined) return Promise.reject(missing(name));
  // libuv forks on the calling thread, so that the tool starts in this thread's namespace.
  const child = spawn(path, args, {
    cwd: '/',
    env: { PATH: toolFolders.join(':'), LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? toolTimeoutMs,
    killSignal: 'SIGKILL',
  });
  const stdout = new BoundedText();
  const stderr = new BoundedText();
  child.stdout.on('data', (bytes: Buffer) => stdout.add(bytes));
  child.stderr.on('data', (bytes: Buffer) => stderr.add(bytes));
  // A tool that ends without reading its input breaks the pipe; its status tells the rest.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(missing(name, cause)));
    child.once('close', (code) => {
      resolve({ status: code ?? 128, stdout: stdout.text, stderr: stderr.text });
    });
  });
}

class BoundedText {
  readonly #chunks: Buffer[] = [];
  #room = outputBytesMax;

  add(bytes: Buffer): void {
    const kept = bytes.subarray(0, this.#room);
    this.#room -= kept.length;
    if (kept.length > 0) this.#chunks.push(kept);
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

function missing(name: string, cause?: Error): TandemError {
  const why = cause === undefined ? 'is not installed' : `cannot be started: ${cause.message}`;
  return new TandemError('TOOL_MISSING', `${name} ${why}`, cause === undefined ? {} : { cause });
}
