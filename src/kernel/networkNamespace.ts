import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { TandemError } from '../errors.js';

/** A named network namespace, as `ip netns` knows it. */
export interface NetworkNamespace {
  readonly name: string;
  readonly path: string;
  readonly fd: number;
  /** Runs synchronous code inside the namespace and comes back. */
  run<T>(fn: () => T): T;
  /** Moves the calling thread into the namespace for good. */
  enter(): void;
  /** Starts a process inside the namespace. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Unmounts and unlinks the name and closes the descriptor. */
  remove(): void;
  /** Closes the descriptor; the namespace stays. */
  close(): void;
}
export function createNetworkNamespace(name: string): NetworkNamespace {
  throw new TandemError('INTERNAL', `not written yet ${name}`);
}
export function openNetworkNamespace(name: string): NetworkNamespace {
  throw new TandemError('INTERNAL', `not written yet ${name}`);
}
export function currentNetworkNamespaceFd(): number {
  throw new TandemError('INTERNAL', 'not written yet');
}
