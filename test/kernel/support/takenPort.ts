/** A program that has the port of BFD and does not share it. */
import type { TestContext } from 'node:test';
import { encodeSocketAddress } from '../../../src/kernel/internetAddress.js';
import type { NetworkNamespace } from '../../../src/kernel/networkNamespace.js';
import { addressFamily, openSocket } from '../../../src/kernel/socketOptions.js';
import { checked, closeDescriptor, libc } from '../../../src/kernel/systemCall.js';
import { bfdSingleHopPort } from '../../../src/wire/bfd.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

/** Takes the port in a namespace; the function that comes back gives it free. */
export function takeBfdPort(context: TestContext, namespace: NetworkNamespace): () => void {
  const fd = namespace.run(() => openSocket(addressFamily.inet, 'datagram', 0, {}));
  const address = encodeSocketAddress(ipAddress('0.0.0.0'), bfdSingleHopPort);
  checked(libc.bind(fd, address, address.length), 'bind');
  let isOpen = true;
  const release = () => {
    if (isOpen) closeDescriptor(fd);
    isOpen = false;
  };
  context.after(release);
  return release;
}
