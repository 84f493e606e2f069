/** The ports that the kernel gives to connections whose own port nobody asks for. */
import { readSysctl } from './sysctl.js';

/** After so many questions the range is read again. */
const rangeAgeMax = 4_096;

/** The range, as this thread's network namespace has it. */
export class LocalPorts {
  #range = readRange();
  #age = 0;

  /** Whether a connection may have this port as its own. */
  include(port: number): boolean {
    this.#age += 1;
    if (this.#age >= rangeAgeMax) {
      this.#range = readRange();
      this.#age = 0;
    }
    return this.#range.first <= port && port <= this.#range.last;
  }
}

/** All ports where the kernel does not tell. */
function readRange(): { readonly first: number; readonly last: number } {
  try {
    const words = readSysctl('net.ipv4.ip_local_port_range').split(/\s+/);
    const [first = 0, last = 65_535] = words.map(Number);
    return { first, last };
  } catch {
    return { first: 0, last: 65_535 };
  }
}
