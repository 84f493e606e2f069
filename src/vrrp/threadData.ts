/** What the main thread hands to the vrrp thread when it starts it. */
import type { MessagePort } from 'node:worker_threads';

/** The worker data of the vrrp thread. */
export interface VrrpThreadData {
  /** Carries `ToVrrp` in and `FromVrrp` out. */
  readonly port: MessagePort;
  /** Number of the eventfd that main raises after each message. */
  readonly wakeFd: number;
  /** Name of the network namespace to work in; the process's own unless given. */
  readonly networkNamespace?: string;
}
