/**
 * What was wrong with the last packet of each peer, so that the log has one line when that changes
 * and not one for each packet. Pure; the counters of the report count every packet.
 */

/** Most peers that are remembered; beyond it the one not heard for longest is forgotten. */
export const faultyPeersMax = 1024;

/** A peer whose packets are good and bad in turn gets a line no more often than this. */
export const peerFaultGapUs = 10_000_000;

interface PeerFault {
  /** Absent: its last packet was good. */
  readonly reason: string | undefined;
  readonly loggedUs: number;
}

/** The faults of all peers. */
export class PeerFaults {
  readonly #faults = new Map<string, PeerFault>();

  /** A packet of a peer was refused; whether that is worth a line in the log. */
  isNews(peer: string, reason: string, nowUs: number): boolean {
    const last = this.#faults.get(peer);
    const isSame = last?.reason === reason;
    const isNews = !isSame && (last === undefined || nowUs - last.loggedUs >= peerFaultGapUs);
    const loggedUs = isNews ? nowUs : (last?.loggedUs ?? nowUs);
    // Deleting first keeps the map in the order of last occurrence.
    this.#faults.delete(peer);
    // A change that was held back for being too soon is news when it lasts.
    this.#faults.set(peer, { reason: isNews || isSame ? reason : last?.reason, loggedUs });
    if (this.#faults.size > faultyPeersMax) {
      const [oldest] = this.#faults.keys();
      if (oldest !== undefined) this.#faults.delete(oldest);
    }
    return isNews;
  }

  /** A packet of a peer was good: the next bad one is news. */
  recovered(peer: string): void {
    const last = this.#faults.get(peer);
    if (last !== undefined) this.#faults.set(peer, { ...last, reason: undefined });
  }

  /** Something else has changed, such as the state of a router: all is news again. */
  forget(): void {
    this.#faults.clear();
  }
}
