/** Whether somebody listens on a socket of the file system. */
import { unixAddress } from './serviceManager.js';
import { addressFamily, openSocket } from './socketOptions.js';
import { closeDescriptor, lastErrno, libc } from './systemCall.js';

/** A queue that is full has somebody at its other end. */
const errnoAgain = 11;

/** True when a connection to the path is taken, or would be if its queue had room. */
export function isListenedOn(path: string): boolean {
  const context = path;
  const address = unixAddress(path);
  const fd = openSocket(addressFamily.unix, 'stream', 0, { context });
  try {
    return libc.connect(fd, address, address.length) === 0 || lastErrno() === errnoAgain;
  } finally {
    closeDescriptor(fd);
  }
}
