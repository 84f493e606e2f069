/**
 * The messages between the thread of the peer channel and the sync thread. They have a port of
 * their own, so that connections of clients never pass through main.
 */

/** From the sync thread. */
export type ToChannel =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** So many bytes were worked off; the channel may deliver as many again. */
  | { readonly type: 'taken'; readonly bytes: number };

/** To the sync thread. */
export type FromChannel =
  | { readonly type: 'open' }
  | { readonly type: 'closed' }
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  /** So many messages were thrown away since the last word of it. */
  | { readonly type: 'dropped'; readonly sent: number; readonly received: number };

/** What may be delivered and not worked off, in bytes; the rest is dropped and counted. */
export const deliveredBytesMax = 16 * 1024 * 1024;
