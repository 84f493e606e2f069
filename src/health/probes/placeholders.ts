/** Texts of the operator that name the server that is checked. */
import type { ProbeTarget } from './probe.js';

/** Puts the server's address and port where `{address}` and `{port}` are. */
export function fillIn(text: string, { address, port }: ProbeTarget): string {
  return text.replaceAll('{address}', address).replaceAll('{port}', String(port));
}
