/** What the relay counts. */
import { type EntryRefusal, entryRefusals } from './entryValidator.js';
import type { DatagramRefusal, RelayCounters } from './protocol.js';

/** Counters since the start of the thread. */
export class RelayCounts {
  heard = 0;
  sent = 0;
  received = 0;
  injected = 0;
  tableFull = 0;
  overWindow = 0;
  channelDrops = 0;
  dropsBeforeRelay = 0;
  dropsBeforeKernel = 0;
  expired = 0;
  repairs = 0;
  malformed = 0;
  readonly rejected = Object.fromEntries(entryRefusals.map((reason) => [reason, 0])) as Record<
    EntryRefusal,
    number
  >;
  readonly refusedDatagrams: Record<DatagramRefusal, number> = {
    'not-from-kernel': 0,
    malformed: 0,
    'wrong-sync-id': 0,
  };

  snapshot(): RelayCounters {
    const { heard, sent, received, injected, expired, repairs, malformed } = this;
    return {
      heard,
      sent,
      received,
      injected,
      expired,
      repairs,
      malformed,
      rejected: { ...this.rejected },
      refusedDatagrams: { ...this.refusedDatagrams },
      dropped: {
        tableFull: this.tableFull,
        overWindow: this.overWindow,
        channel: this.channelDrops,
        beforeRelay: this.dropsBeforeRelay,
        beforeKernel: this.dropsBeforeKernel,
      },
    };
  }
}
