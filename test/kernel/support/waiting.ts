/** Waiting for what a socket brings, with a deadline that only a failure reaches. */
import { nowUs } from '../../../src/kernel/monotonicClock.js';
import { pollReadable } from '../../../src/kernel/pollLoop.js';

const patienceUs = 10_000_000;

/** The first thing that a socket receives and that is wanted. Throws after ten seconds. */
export function awaitReceived<T>(
  socket: { readonly fd: number; receive(): T | undefined },
  wanted: (item: T) => boolean = () => true,
): T {
  const deadlineUs = nowUs() + patienceUs;
  while (nowUs() < deadlineUs) {
    const item = socket.receive();
    if (item === undefined) pollReadable([socket.fd], deadlineUs - nowUs());
    else if (wanted(item)) return item;
  }
  throw new Error('nothing of the kind was received within ten seconds');
}

/** Everything that a socket holds now. */
export function drain<T>(socket: { receive(): T | undefined }): T[] {
  const items: T[] = [];
  for (let item = socket.receive(); item !== undefined; item = socket.receive()) items.push(item);
  return items;
}
