/**
 * Has V8 compile the whole program of the vrrp thread before it runs.
 *
 * V8 compiles a function when it is called for the first time. What a takeover calls and nothing
 * before it did is then compiled while clients wait: 0.2 ms before the first advertisement and
 * 0.3 ms before the first gratuitous ARP. A rehearsal finds only what it runs itself.
 * V8 has this as a flag of the process, so it is set before the thread is made, which reads its
 * program then, and taken back by the thread when its program is read. It costs the agent 15 to
 * 20 MiB of memory; what main and other threads read meanwhile is compiled so as well.
 */
import { setFlagsFromString } from 'node:v8';

/** From here on V8 compiles all of a program that it reads. Called before the thread is made. */
export function compileEagerly(): void {
  setFlagsFromString('--no-lazy');
}

/** From here on V8 compiles a function when it is called. Called by the thread, first of all. */
export function compileWhenCalled(): void {
  setFlagsFromString('--lazy');
}
