import { TandemError } from '../errors.js';

/** The longest that one {@link pollReadable} waits, whatever was asked. */
export const pollWaitMaxUs = 1_000_000;

export function pollReadable(fds: readonly number[], timeoutUs: number | undefined): number[] {
  throw new TandemError('INTERNAL', `not written yet ${fds.length} ${timeoutUs}`);
}
