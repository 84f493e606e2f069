/** What the log says of a refused packet. Pure. */
import type { AdvertisementRejection } from './reasons.js';

/** What to do, for reasons whose name does not say it. */
const advice: Readonly<Partial<Record<AdvertisementRejection, string>>> = {
  'authentication-header':
    "the peer uses the IPsec Authentication Header (keepalived's auth_type AH), which is not " +
    'spoken, so neither hears the other; give it a password (auth_type PASS), or HMAC on both',
};

/** The line of the log: the reason, and what to do where that is not plain. */
export function rejectionText(reason: AdvertisementRejection): string {
  const what = advice[reason];
  return `an advertisement was discarded: ${reason}${what === undefined ? '' : ` (${what})`}`;
}
